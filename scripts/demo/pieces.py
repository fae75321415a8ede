"""Which pieces of clip art the demo set is drawn from, by class.

Paths are inside Debian's package `openclipart-png`, below /usr/share/openclipart/png.
"""

from __future__ import annotations

PIECES = {
    "airplane": [
        "transportation/vehicles/aircraft_jarno_vasamaa_", "transportation/vehicles/aircraft_jarno_vasamaa1",
        "transportation/vehicles/aircraft_jarno_vasamaa2", "transportation/vehicles/aircraft_jarno_vasamaa3",
        "transportation/vehicles/aircraft_jarno_vasamaa4", "transportation/vehicles/plane_silhouet_mo_01",
        "transportation/vehicles/military_airplane_mo_01",
    ],
    "automobile": [
        "transportation/dodge_neon_green_ganson", "transportation/dodge_neon_pink_ganson",
        "transportation/car_jamin_ellis_", "transportation/formula_one_car_gerald_g_01",
        "transportation/sportcar_sergio_luiz_ara_01", "transportation/skoda_car_alejandro_teja_",
        "transportation/blazer_01", "transportation/vehicles/4wd", "transportation/vehicles/car",
        "transportation/hummer_05", "transportation/toyota_land_cruiser_ganson",
        "transportation/vehicles/_chevrolet_celebirt_", "transportation/vehicles/1989_chevrolet_celebrit_01",
    ],
    "bird": [
        "animals/birds/acquila_architetto_franc_01", "animals/birds/acquila_architetto_franc_03",
        "animals/birds/aquila_frontale_architet_01", "animals/birds/bird_of_peace_mauro_oliv_01",
        "animals/birds/cigno_architetto_frances_01", "animals/birds/cigno_di_spalle_architet_01",
        "animals/birds/cormorant-md", "animals/birds/crow_01", "animals/birds/dove_symbol",
        "animals/birds/eagle_01", "animals/birds/emperor_penguin_ralf_ste_01",
        "animals/birds/flamand_jean-victor_bali_01", "animals/birds/gabbiano_architetto_fran_01",
        "animals/birds/gallo_di_profilo_archite_01", "animals/birds/gufo_civetta_architetto__01",
        "animals/birds/gull_marcelo_staudt_01", "animals/birds/hen_01", "animals/birds/jonathon_s_duck_01",
        "animals/birds/owl_on_branch_ganson", "animals/birds/puffin-md", "animals/birds/rooster_01",
        "animals/birds/seagull_nicu_buculei_01", "animals/birds/uccello_bianco_e_nero_ar_01",
        "animals/birds/uccello_profilo_01_archi_01", "animals/birds/tacchino_architetto_fran_01",
    ],
    "cat": [
        "animals/mammals/housecats/gattina_cat_architetto_f_01",
        "animals/mammals/housecats/gatto_cat_architetto_fra_01",
        "animals/mammals/housecats/gatto_cat_architetto_fra_02",
        "animals/mammals/housecats/gatto_cat_architetto_fra_03",
        "animals/mammals/housecats/gatto_cat_architetto_fra_04", "animals/mammals/housecats/kitten_gerald_g._01",
        "animals/mammals/housecats/le_mie_tigri_preferite_a_01", "animals/mammals/cartoon_cat_gerald_g._01",
    ],
    "dog": [
        "animals/mammals/dog_01_drawn_with_strai_01", "animals/mammals/dog_03_drawn_with_strai_01",
        "animals/mammals/dog_04_drawn_with_strai_01", "animals/mammals/dog_05_drawn_with_strai_01",
        "animals/mammals/dog_06_drawn_with_strai_01", "animals/mammals/dog_on_leash_gerald_g._01",
        "animals/mammals/dogs/beagle_copper_ganson", "animals/mammals/dogs/black_lab_ganson",
        "animals/mammals/dogs/bobi_architetto_francesc_01", "animals/mammals/dogs/bored_dog_01",
        "animals/mammals/dogs/bulldog_puppy_ganson",
    ],
    "frog": [
        "animals/rana01_architetto_france_01", "animals/rana02_architetto_france_01",
        "animals/rana03_architetto_france_01", "animals/rana_architetto_francesc_01",
        "animals/red-eye_frog_mirko_maisc_01",
    ],
    "horse": [
        "animals/mammals/horses/cavallo_architetto_franc_01", "animals/mammals/horses/cavallo_architetto_franc_02",
        "animals/mammals/horses/cavallo_architetto_franc_03", "animals/mammals/horses/cavallo_architetto_franc_04",
        "animals/mammals/horses/cavallo_architetto_franc_05", "animals/mammals/horses/cavallo_architetto_franc_06",
        "animals/mammals/horses/cavallo_architetto_franc_07",
    ],
    "ship": [
        "transportation/boating/boat_jarno_vasamaa1", "transportation/boating/boat_jarno_vasamaa_",
        "transportation/boating/sailboat_illustration", "transportation/vehicles/trawler_01",
        "transportation/boating/sailing_sunset", "transportation/boating/sailing_kids",
    ],
    "truck": [
        "transportation/big_truck_01", "transportation/small_truck_steffen_gluc_01",
        "transportation/truck_jarno_vasamaa1", "transportation/truck_jarno_vasamaa_",
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
