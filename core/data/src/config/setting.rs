//! What a setting is, and the macro that declares them all.

use super::kinds::Kind;
use crate::nearest::hint;

/// One setting, as it was declared.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The section it stands in; empty for those above all sections.
    pub section: &'static str,
    /// Its name in the section.
    pub key: &'static str,
    /// What it is, in the lines of the comment above it.
    pub doc: &'static [&'static str],
    /// The default as it stands in the file; empty where nothing is set by default.
    pub default: &'static str,
    /// A value that could be set, as it stands in a file.
    pub example: &'static str,
    /// What values it may have.
    pub limits: Limits,
    /// The environment variable that sets it, above all files.
    pub variable: Option<&'static str>,
    /// Why only the user may set it and no project or session, where that is so.
    pub user_only: Option<&'static str>,
    /// What else the defaults say below it, in lines.
    pub aside: &'static [&'static str],
    pub(super) form: Form,
}

impl Setting {
    /// One of this kind that says nothing yet.
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

/// What values a setting may have, beside what its kind says.
#[derive(Debug, Clone, Copy)]
pub enum Limits {
    /// All of its kind.
    Any,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// One of these words, which the program that draws the screen checks.
    Words(&'static [&'static str]),
    /// A number from the first to the second.
    Within(f64, f64),
    /// A text of this pattern, for editors; the check says what is wrong with one.
    Pattern(&'static str, fn(&str) -> Option<String>),
}

impl Limits {
    /// What is wrong with a text.
    pub(super) fn complaint(&self, text: &str) -> Option<String> {
        match self {
            Limits::OneOf(known) if !known.contains(&text) => {
                let hint = hint(text, known.iter().copied());
                Some(format!("'{text}' is none of {}{hint}", known.join(", ")))
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
    /// A section of numbers under names of one's own.
    Numbers,
}

/// Declares all settings: a struct for each section, and how each setting is read, checked and documented.
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
            #[allow(unreachable_pub, reason = "only what the screen needs is lent to other crates")]
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

        /// Every section with what it is about, in the order of the file; the first has no name.
        pub const SECTIONS: &[(&str, &[&str])] = &[$( ($section, &[$($about),*]), )*];

        impl Settings {
            /// Reads what a section of a file in the folder `beside` says; which keys those were.
            pub(super) fn read(
                &mut self,
                section: &str,
                table: &mut Table<'_, '_>,
                beside: &Path,
            ) -> Result<Vec<&'static Setting>> {
                let mut said = Vec::new();
                match section {
                    $( $section => {
                        $( {
                            const SETTING: &Setting = &settings!(@one $section, $kind, [$($doc),*], $($attr: $set),*);
                            if let Some(value) = <$kind as Kind>::read(SETTING, table, beside)? {
                                <$kind as Kind>::lay(&mut self.$group.$field, value);
                                said.push(SETTING);
                            }
                        } )*
                    } )*
                    _ => {}
                }
                Ok(said)
            }

            /// Reads what the environment says. An empty variable counts as not set.
            pub(super) fn read_variables(&mut self, get: impl Fn(&str) -> Option<String>) -> Result<()> {
                let get = |variable| get(variable).filter(|text: &String| !text.is_empty());
                $($( {
                    const SETTING: &Setting = &settings!(@one $section, $kind, [$($doc),*], $($attr: $set),*);
                    if let Some(variable) = SETTING.variable
                        && let Some(text) = get(variable)
                    {
                        let value = <$kind as Kind>::parse(SETTING, variable, text)?;
                        <$kind as Kind>::lay(&mut self.$group.$field, value);
                    }
                } )*)*
                Ok(())
            }
        }
    };
    (@one $section:literal, $kind:ty, [$($doc:literal),*], $($attr:ident: $set:expr),*) => {
        Setting { section: $section, doc: &[$($doc),*], $($attr: $set,)* ..Setting::of::<$kind>() }
    };
}
pub(super) use settings;
