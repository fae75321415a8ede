//! Detectors in Python: a program, the file that speaks the protocol for it, and a description.

use super::{Made, trying};
use anyhow::{Result, ensure};
use std::path::Path;

const SOURCE: &str = include_str!("../templates/detector.py.in");
const DESCRIPTION: &str = include_str!("../templates/python.toml.in");
const SDK: &str = include_str!("../../../../sdk/python/chaffinch_detector.py");

/// The names of files that would be imported in the place of a module: those of Python's standard library on Unix up to 3.14, except
/// those that begin with an underscore, and what a detector uses beside it.
const MODULES: &str = "\
    abc aifc annotationlib antigravity argparse array ast asynchat asyncio asyncore atexit audioop base64 bdb binascii binhex bisect builtins bz2 \
     calendar cgi cgitb chunk cmath cmd code codecs codeop collections colorsys compileall compression concurrent \
    configparser contextlib contextvars copy copyreg crypt csv ctypes curses dataclasses datetime dbm decimal difflib dis distutils \
    doctest email encodings ensurepip enum errno faulthandler fcntl filecmp fileinput fnmatch formatter fractions ftplib functools \
    gc genericpath getopt getpass gettext glob graphlib grp gzip hashlib heapq hmac html http idlelib imaplib imghdr imp importlib \
    inspect io ipaddress itertools json keyword lib2to3 linecache locale logging lzma mailbox mailcap marshal math mimetypes mmap \
    modulefinder msilib multiprocessing netrc nis nntplib ntpath nturl2path numbers opcode operator optparse os ossaudiodev parser pathlib pdb \
    pickle pickletools pipes pkgutil platform plistlib poplib posix posixpath pprint profile pstats pty pwd py_compile pyclbr pydoc \
    pydoc_data pyexpat queue quopri random re readline reprlib resource rlcompleter runpy sched secrets select selectors shelve \
    shlex shutil signal site smtpd smtplib sndhdr socket socketserver spwd sqlite3 sre_compile sre_constants sre_parse ssl stat \
    statistics string stringprep struct subprocess sunau symbol symtable sys sysconfig syslog tabnanny tarfile telnetlib tempfile \
    termios test textwrap this threading time timeit tkinter token tokenize tomllib trace traceback tracemalloc tty turtle \
    turtledemo types typing unicodedata unittest urllib uu uuid venv warnings wave weakref webbrowser wsgiref xdrlib xml xmlrpc \
    zipapp zipfile zipimport zlib zoneinfo numpy chaffinch_detector";

/// Refuses names whose file would be imported instead of a module that the detector needs.
pub(super) fn check_name(name: &str) -> Result<()> {
    let module = name.replace('-', "_");
    ensure!(
        !MODULES.split_whitespace().any(|known| known == module),
        "{module}.py would be imported in the place of Python's module {module}; choose another name, such as my-{name}"
    );
    Ok(())
}

pub(super) fn make(name: &str, folder: &Path) -> Made {
    let source = format!("{}.py", name.replace('-', "_"));
    let description = DESCRIPTION.replace("@NAME@", name).replace("@FILE@", &source);
    let next =
        format!("Created {source}, chaffinch_detector.py and detector.toml. Next:\n{}", trying(folder));
    let files = vec![
        (source, SOURCE.into()),
        ("chaffinch_detector.py".to_owned(), SDK.into()),
        ("detector.toml".to_owned(), description.into_bytes()),
    ];
    Made { files, next }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_hides_a_module_is_refused() {
        for name in ["json", "random", "py-compile", "numpy", "chaffinch-detector"] {
            let why = check_name(name).unwrap_err().to_string();
            assert!(why.contains("choose another name"), "{why}");
        }
        // What the files that are written import is not a name for another one.
        let imported = [SDK, SOURCE].iter().flat_map(|text| text.lines()).filter_map(|line| {
            let line = line.trim();
            let rest = line.strip_prefix("import ").or_else(|| line.strip_prefix("from "))?;
            rest.split([' ', '.', ',']).next()
        });
        for module in imported.filter(|module| !module.starts_with('_')) {
            assert!(check_name(&module.replace('_', "-")).is_err(), "{module}");
        }
        check_name("blurry").unwrap();
    }
}
