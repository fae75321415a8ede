//! The definition of a setting, and the macro that declares all of them.

use super::kinds::Kind;
use crate::nearest::hint;

/// One setting as declared.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its section; empty for settings outside of sections.
    pub section: &'static str,
    /// Its name in the section.
    pub key: &'static str,
    /// Its documentation, line by line.
    pub doc: &'static [&'static str],
    /// The default as written in the file; empty if nothing is set by default.
    pub default: &'static str,
    /// An example value as written in a file.
    pub example: &'static str,
    /// The values it may have.
    pub limits: Limits,
    /// The environment variable that sets it and overrides all files.
    pub variable: Option<&'static str>,
    /// If only the user may set it, and no project or session: the reason.
    pub user_only: Option<&'static str>,
    /// Further comment lines below it in the defaults.
    pub aside: &'static [&'static str],
    pub(super) form: Form,
}

impl Setting {
    /// An empty setting of this kind.
    pub(super) const fn of<K: Kind>() -> Setting {
        Setting {
            section: "",
            key: "",
            doc: &[],
            default: "",
            example: "",
            limits: Limits::Any,
            variable: None,
            user_only: None,
            aside: &[],
            form: K::FORM,
        }
    }
}

/// The values a setting may have, in addition to the constraints of its kind.
#[derive(Debug, Clone, Copy)]
pub enum Limits {
    /// Any value of its kind.
    Any,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// One of these words; the interface checks them.
    Words(&'static [&'static str]),
    /// A number from the first to the second.
    Within(f64, f64),
    /// A string that matches this pattern, for editors; the function describes what is wrong with one.
    Pattern(&'static str, fn(&str) -> Option<String>),
}

impl Limits {
    /// Describes what is wrong with a string.
    pub(super) fn problem(&self, text: &str) -> Option<String> {
        match self {
            Limits::OneOf(known) if !known.contains(&text) => {
                let hint = hint(text, known.iter().copied());
                Some(format!("'{text}' is not one of {}{hint}", known.join(", ")))
            }
            Limits::Pattern(_, check) => check(text),
            _ => None,
        }
    }
}

/// The form of a value in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Texts,
    Flag,
    Number,
    /// A section of numbers under arbitrary names.
    Numbers,
}

/// Declares all settings: a struct for each section, and how to read, check and document each setting.
macro_rules! settings {
    ($(
        $(#[doc = $about:literal])*
        $section:literal $group:ident: $Group:ident {
            $(
                $(#[doc = $doc:literal])*
                $field:ident: $value:ty as $kind:ty { $($attr:ident: $set:expr),* $(,)? }
            )*
        }
    )*) => {
        $(
            $(#[doc = $about])*
            #[derive(Debug, Clone, Default, PartialEq)]
            #[allow(unreachable_pub, reason = "other crates only use what the screen needs")]
            pub struct $Group {
                $( $(#[doc = $doc])* pub $field: $value, )*
            }
        )*

        /// The values of all settings, by section.
        #[derive(Debug, Clone, Default, PartialEq)]
        pub(super) struct Settings {
            $( pub(super) $group: $Group, )*
        }

        /// Every setting, in the order of the file.
        pub const SETTINGS: &[Setting] = &[$($( settings!(@one $section, $kind, [$($doc),*], $($attr: $set),*), )*)*];

        /// Every section with its description, in the order of the file; the first has no name.
        pub const SECTIONS: &[(&str, &[&str])] = &[$( ($section, &[$($about),*]), )*];

        impl Settings {
            /// Reads a section of a file in the folder `base` and returns the settings it contains.
            pub(super) fn read(
                &mut self,
                section: &str,
                table: &mut Table<'_, '_>,
                base: &Path,
            ) -> Result<Vec<&'static Setting>> {
                let mut found = Vec::new();
                match section {
                    $( $section => {
                        $( {
                            const SETTING: &Setting = &settings!(@one $section, $kind, [$($doc),*], $($attr: $set),*);
                            if let Some(value) = <$kind as Kind>::read(SETTING, table, base)? {
                                <$kind as Kind>::merge(&mut self.$group.$field, value);
                                found.push(SETTING);
                            }
                        } )*
                    } )*
                    _ => {}
                }
                Ok(found)
            }

            /// Reads the environment, and returns the settings that it contains. Empty variables count as unset.
            pub(super) fn read_variables(
                &mut self,
                get: impl Fn(&str) -> Option<String>,
            ) -> Result<Vec<&'static Setting>> {
                let mut found = Vec::new();
                let get = |variable| get(variable).filter(|text: &String| !text.is_empty());
                $($( {
                    const SETTING: &Setting = &settings!(@one $section, $kind, [$($doc),*], $($attr: $set),*);
                    if let Some(variable) = SETTING.variable
                        && let Some(text) = get(variable)
                    {
                        let value = <$kind as Kind>::parse(SETTING, variable, text)?;
                        <$kind as Kind>::merge(&mut self.$group.$field, value);
                        found.push(SETTING);
                    }
                } )*)*
                Ok(found)
            }

            /// The values as they would be written in a file, in the order of [`SETTINGS`]; `None` where there is none.
            pub(super) fn written(&self) -> Vec<Option<String>> {
                vec![$($( <$kind as Kind>::written(&self.$group.$field), )*)*]
            }
        }
    };
    (@one $section:literal, $kind:ty, [$($doc:literal),*], $($attr:ident: $set:expr),*) => {
        Setting { section: $section, doc: &[$($doc),*], $($attr: $set,)* ..Setting::of::<$kind>() }
    };
}
pub(super) use settings;
