/// The parameters of a detector that looks for copies, then its own: the only list of the former, so that all such detectors look for
/// the same. Their type, `Param`, is that of the crate in which this is used, as this crate knows no other.
#[macro_export]
macro_rules! params {
    ($param:ident; $($own:expr),* $(,)?) => {
        &[
            $param::integer("radius", 5, 0, 16, "pHash bits that may differ between copies"),
            $param::integer("wide-radius", 10, 0, 16, "pHash bits that may differ if the dHash agrees"),
            $param::integer("dhash-radius", 12, 0, 64, "dHash bits that may differ within wide-radius"),
            $param::flag("turned", true, "Also look for mirrored and rotated copies"),
            $param::flag("parts", true, "Also look for crops of other pictures and borders around them"),
            $($own),*
        ]
    };
}
