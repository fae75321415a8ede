//! How to reach buckets: server, region and credentials, as the tools of the providers find them.

use ini::Ini;
use rusty_s3::Credentials;
use std::env;
use std::fs;
use std::path::PathBuf;

const REGION: &str = "us-east-1";

/// Why credentials cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// One half of them is missing.
    #[error("{0} is set, but {1} is not")]
    Half(&'static str, &'static str),
    /// The file cannot be read.
    #[error("cannot read {}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A profile was asked for that is not there.
    #[error("{} has no profile '{profile}': check AWS_PROFILE", path.display())]
    Profile {
        /// The file.
        path: PathBuf,
        /// The profile's name.
        profile: String,
    },
}

/// How to reach buckets.
pub(super) struct Access {
    pub(super) endpoint: String,
    /// Whether the server was named, so that it may not have a host name for each bucket.
    pub(super) own_endpoint: bool,
    pub(super) region: String,
    /// Without them, only public buckets can be read.
    pub(super) credentials: Option<Credentials>,
}

impl Access {
    /// From the environment and the user's files. `google` is for addresses with `gs://`.
    pub(super) fn find(google: bool) -> Result<Access, AccessError> {
        let profile = env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty());
        let files = Files::read(profile.as_deref())?;
        let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let endpoint = set("AWS_ENDPOINT_URL_S3").or_else(|| set("AWS_ENDPOINT_URL"));
        let endpoint = endpoint.or_else(|| files.get("endpoint_url"));
        let region = set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION")).or_else(|| files.get("region"));
        let region = region.unwrap_or_else(|| if google { "auto" } else { REGION }.to_owned());
        let credentials = match (set("AWS_ACCESS_KEY_ID"), set("AWS_SECRET_ACCESS_KEY")) {
            (Some(key), Some(secret)) => Some(credentials(key, secret, set("AWS_SESSION_TOKEN"))),
            (Some(_), None) => return Err(AccessError::Half("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")),
            (None, Some(_)) => return Err(AccessError::Half("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID")),
            (None, None) => {
                let pair = files.get("aws_access_key_id").zip(files.get("aws_secret_access_key"));
                pair.map(|(key, secret)| credentials(key, secret, files.get("aws_session_token")))
            }
        };
        let own_endpoint = endpoint.is_some() || google;
        let endpoint = endpoint.unwrap_or_else(|| match google {
            true => "https://storage.googleapis.com".to_owned(),
            false => format!("https://s3.{region}.amazonaws.com"),
        });
        Ok(Access { endpoint, own_endpoint, region, credentials })
    }
}

fn credentials(key: String, secret: String, token: Option<String>) -> Credentials {
    match token {
        Some(token) => Credentials::new_with_token(key, secret, token),
        None => Credentials::new(key, secret),
    }
}

/// The user's files, of which one has the keys and the other the region.
struct Files {
    sections: Vec<(Ini, String)>,
}

impl Files {
    fn read(profile: Option<&str>) -> Result<Files, AccessError> {
        let home = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        let file = |variable: &str, name: &str| {
            env::var_os(variable).map_or_else(|| home.join(".aws").join(name), PathBuf::from)
        };
        let name = profile.unwrap_or("default");
        let keys = (file("AWS_SHARED_CREDENTIALS_FILE", "credentials"), name.to_owned());
        let section = if name == "default" { name.to_owned() } else { format!("profile {name}") };
        let settings = (file("AWS_CONFIG_FILE", "config"), section);
        let mut sections = Vec::new();
        for (path, section) in [keys, settings] {
            let text = match fs::read_to_string(&path) {
                Ok(text) => text,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(AccessError::File { path, reason: error.to_string() }),
            };
            let ini = Ini::load_from_str_noescape(&text)
                .map_err(|error| AccessError::File { path: path.clone(), reason: error.to_string() })?;
            sections.push((path, ini, section));
        }
        let there = |(_, ini, section): &(PathBuf, Ini, String)| ini.section(Some(section)).is_some();
        if let (Some(profile), Some((path, ..))) = (profile, sections.first())
            && !sections.iter().any(there)
        {
            return Err(AccessError::Profile { path: path.clone(), profile: profile.to_owned() });
        }
        Ok(Files { sections: sections.into_iter().map(|(_, ini, section)| (ini, section)).collect() })
    }

    fn get(&self, name: &str) -> Option<String> {
        let mut found = self.sections.iter().filter_map(|(ini, section)| {
            ini.section(Some(section)).and_then(|properties| properties.get(name)).map(str::to_owned)
        });
        found.find(|value| !value.is_empty())
    }
}
