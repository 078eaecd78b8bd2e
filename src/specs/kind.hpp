#pragma once

namespace left4me {

/// The kinds of objects that manifests describe. What is known about each is in its entry of kinds()
/// (specs/fields.hpp). Code that differs by kind switches over this without a default, so that the compiler
/// names every place that a new kind needs.
enum class Kind { Server, Blueprint, Overlay, Installation, Host };

/// Whether artifacts are built for objects of this kind. Those kinds share their names, because they share
/// `overlays/NAME` and left4me-build@NAME.service.
constexpr bool has_artifacts(Kind kind) { return kind == Kind::Overlay || kind == Kind::Installation; }

/// "server", as in `server/comp1`.
const char* to_string(Kind kind);

}  // namespace left4me
