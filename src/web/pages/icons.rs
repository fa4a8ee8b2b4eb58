//! The URL of the icons, cached because every page contains it many times.

use std::sync::LazyLock;

use crate::web::assets;

/// A fragment names the icon: see `icon` in `templates/macros/icons.html`.
pub fn sprite() -> &'static str {
    static SPRITE: LazyLock<String> = LazyLock::new(|| assets::url("icons/icons.svg"));
    &SPRITE
}

/// The names of all icons.
pub fn names() -> impl Iterator<Item = &'static str> {
    include_str!("../../../static/icons/icons.svg")
        .split(" id=\"")
        .skip(1)
        .filter_map(|it| it.split('"').next())
}
