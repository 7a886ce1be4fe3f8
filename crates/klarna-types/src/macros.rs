//! The few macros that keep the wire types short: open enums, string ids, and structs whose optional members are
//! left out when they are not set. They only generate code that one would otherwise write by hand many times.

/// An enum that Klarna may extend: known values are variants, every other value is kept in `Unknown`.
///
/// With `any_case`, known values are recognised whatever their case and written in their documented form; with `code`,
/// unknown values are written in upper case, too. Further spellings of a value, after `|`, are read and never written.
macro_rules! open_enum {
    (@find exact $value:expr, $text:literal) => { $value == $text };
    (@find any_case $value:expr, $text:literal) => { $value.eq_ignore_ascii_case($text) };
    (@find code $value:expr, $text:literal) => { $value.eq_ignore_ascii_case($text) };
    (@keep code $value:expr) => { $value.to_ascii_uppercase() };
    (@keep $mode:ident $value:expr) => { String::from($value) };
    (
        $(#[$meta:meta])*
        pub enum $name:ident : $mode:ident {
            $( $(#[$vmeta:meta])* $variant:ident = $text:literal $(| $also:literal)* ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $( $(#[$vmeta])* $variant, )*
            /// A value that this version of the crate does not know, kept as it was read.
            Unknown(String),
        }

        impl $name {
            /// All values that are known to this version of the crate.
            pub const KNOWN: &'static [$name] = &[ $( $name::$variant, )* ];

            /// The value as it stands on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $( Self::$variant => $text, )*
                    Self::Unknown(value) => value,
                }
            }

            /// Whether this is one of the documented values.
            pub fn is_known(&self) -> bool {
                !matches!(self, Self::Unknown(_))
            }

            fn find(value: &str) -> Option<Self> {
                $(
                    if open_enum!(@find $mode value, $text) $(|| open_enum!(@find $mode value, $also))* {
                        return Some(Self::$variant);
                    }
                )*
                None
            }
        }

        impl From<&str> for $name {
            fn from(value: &str) -> Self {
                Self::find(value).unwrap_or_else(|| Self::Unknown(open_enum!(@keep $mode value)))
            }
        }

        impl From<String> for $name {
            fn from(value: String) -> Self {
                Self::find(&value).unwrap_or_else(|| Self::Unknown(open_enum!(@keep $mode value)))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::from)
            }
        }
    };
}

/// An opaque identifier: a string that is never mixed up with another kind of string.
macro_rules! string_id {
    ( $( $(#[$meta:meta])* $name:ident ),* $(,)? ) => { $(
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps an identifier. Klarna's identifiers are opaque: length and form may change at any time.
            pub fn new(value: impl Into<String>) -> Self {
                Self(value.into())
            }

            /// The identifier as it stands on the wire.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The identifier as an owned string.
            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl From<&str> for $name {
            fn from(value: &str) -> Self {
                Self(value.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(value: String) -> Self {
                Self(value)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "{}({:?})", stringify!($name), self.0)
            }
        }
    )* };
}

/// A struct as it stands on the wire: `new` takes the required members, one setter for each optional one, and a
/// member that is not set is not written.
///
/// It is read from a JSON object only. What `serde` derives would also take an array of the members in their order, so
/// that `[]` would be an empty address.
macro_rules! wire_struct {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $( required { $( $(#[$rmeta:meta])* $rfield:ident : $rtype:ty ),* $(,)? } )?
            $( optional { $( $(#[$ometa:meta])* $ofield:ident : $otype:ty ),* $(,)? } )?
        }
    ) => {
        $(#[$meta])*
        pub struct $name {
            $($( $(#[$rmeta])* pub $rfield: $rtype, )*)?
            $($(
                $(#[$ometa])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $ofield: Option<$otype>,
            )*)?
        }

        impl $name {
            /// Takes the required members; set the optional ones with the methods of the same name.
            pub fn new($($( $rfield: impl Into<$rtype> ),*)?) -> Self {
                Self {
                    $($( $rfield: $rfield.into(), )*)?
                    $($( $ofield: None, )*)?
                }
            }

            $($(
                #[doc = concat!("Sets `", stringify!($ofield), "`.")]
                pub fn $ofield(mut self, $ofield: impl Into<$otype>) -> Self {
                    self.$ofield = Some($ofield.into());
                    self
                }
            )*)?
        }

        const _: () = {
            #[derive(serde::Deserialize)]
            #[serde(expecting = "a JSON object")]
            struct Members {
                $($( $(#[$rmeta])* $rfield: $rtype, )*)?
                $($( $(#[$ometa])* #[serde(default)] $ofield: Option<$otype>, )*)?
            }

            impl<'de> serde::Deserialize<'de> for $name {
                fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let members: Members = crate::wire::object(deserializer)?;
                    Ok(Self {
                        $($( $rfield: members.$rfield, )*)?
                        $($( $ofield: members.$ofield, )*)?
                    })
                }
            }
        };
    };
}

/// `Debug` for a struct of optional members that hold personal data: says which are set, and shows only the
/// members named as `shown`.
macro_rules! redacted_debug {
    ( $name:ident { shown: [$( $shown:ident ),* $(,)?], hidden: [$( $hidden:ident ),* $(,)?] } ) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                // Destructured so that a member added later must be sorted into one of the two lists.
                let Self { $( $shown, )* $( $hidden, )* } = self;
                let mut debug = formatter.debug_struct(stringify!($name));
                $( if let Some(value) = $shown { debug.field(stringify!($shown), value); } )*
                $( if $hidden.is_some() { debug.field(stringify!($hidden), &crate::secret::Stars); } )*
                debug.finish()
            }
        }
    };
}
