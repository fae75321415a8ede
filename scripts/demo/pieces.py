"""Which pieces of clip art the demo set is drawn from, by class.

Chosen among the package's pieces as those that the bundled model recognizes more often than by chance; demo/README.md
says what that means. Paths are inside Debian's package `openclipart-png`, below /usr/share/openclipart/png.
"""

from __future__ import annotations

PIECES = {
    "airplane": [
        "transportation/vehicles/aircraft_jarno_vasamaa_",
        "transportation/vehicles/aircraft_jarno_vasamaa1",
        "transportation/vehicles/aircraft_jarno_vasamaa2",
        "transportation/vehicles/aircraft_jarno_vasamaa3",
        "transportation/vehicles/aircraft_jarno_vasamaa4",
        "transportation/vehicles/plane_silhouet_mo_01",
        "transportation/vehicles/military_airplane_mo_01",
    ],
    "automobile": [
        "transportation/dodge_neon_pink_ganson",
        "transportation/sportcar_sergio_luiz_ara_01",
        "transportation/blazer_01",
        "transportation/vehicles/4wd",
        "transportation/hummer_05",
        "transportation/toyota_land_cruiser_ganson",
        "transportation/vehicles/1989_chevrolet_celebrit_01",
    ],
    "bird": [
        "animals/birds/acquila_architetto_franc_01",
        "animals/birds/aquila_frontale_architet_01",
        "animals/birds/cormorant-md",
        "animals/birds/crow_01",
        "animals/birds/eagle_01",
        "animals/birds/emperor_penguin_ralf_ste_01",
        "animals/birds/flamand_jean-victor_bali_01",
        "animals/birds/gabbiano_architetto_fran_01",
        "animals/birds/gull_marcelo_staudt_01",
        "animals/birds/hen_01",
        "animals/birds/jonathon_s_duck_01",
        "animals/birds/puffin-md",
        "animals/birds/rooster_01",
        "animals/birds/seagull_nicu_buculei_01",
        "animals/birds/uccello_bianco_e_nero_ar_01",
        "animals/birds/uccello_profilo_01_archi_01",
    ],
    "cat": [
        "animals/mammals/housecats/gatto_cat_architetto_fra_01",
        "animals/mammals/housecats/gatto_cat_architetto_fra_03",
        "animals/mammals/housecats/gatto_cat_architetto_fra_04",
        "animals/mammals/housecats/le_mie_tigri_preferite_a_01",
    ],
    "dog": [
        "animals/mammals/dog_03_drawn_with_strai_01",
        "animals/mammals/dogs/beagle_copper_ganson",
        "animals/mammals/dogs/bobi_architetto_francesc_01",
        "animals/mammals/dogs/bored_dog_01",
        "animals/mammals/dogs/bulldog_puppy_ganson",
    ],
    "frog": [
        "animals/rana01_architetto_france_01",
        "animals/rana02_architetto_france_01",
        "animals/rana03_architetto_france_01",
        "animals/rana_architetto_francesc_01",
        "animals/red-eye_frog_mirko_maisc_01",
    ],
    "horse": [
        "animals/mammals/horses/cavallo_architetto_franc_01",
        "animals/mammals/horses/cavallo_architetto_franc_02",
        "animals/mammals/horses/cavallo_architetto_franc_03",
        "animals/mammals/horses/cavallo_architetto_franc_05",
        "animals/mammals/horses/cavallo_architetto_franc_06",
    ],
    "ship": [
        "transportation/boating/boat_jarno_vasamaa1",
        "transportation/boating/boat_jarno_vasamaa_",
        "transportation/boating/sailboat_illustration",
        "transportation/vehicles/trawler_01",
        "transportation/boating/sailing_sunset",
    ],
    "truck": [
        "transportation/truck_jarno_vasamaa1",
        "transportation/truck_jarno_vasamaa_",
        "transportation/vehicles/old_truck_indana_model__01",
    ],
}

# Nothing of these belongs to any class.
FOREIGN = [
    ("dog", "food/fruit/bananas_nicu_buculei_01"),
    ("bird", "food/fruit/grapes_simple"),
    ("ship", "food/fruit/green_pear_01"),
    ("horse", "food/fruit/lemon1"),
    ("automobile", "food/fruit/an_apple_01"),
]
