#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/store/files.hpp"
#include "adapters/store/metadata.hpp"
#include "reconciler/observed.hpp"
#include "reconciler/target.hpp"

namespace left4me::store {

struct RenderedFile {
    std::string path;  ///< relative to the rendering
    std::string text;
    mode_t mode = 0;
};

/// A rendering as it should be, with its files.
struct Rendering {
    std::string digest;
    std::vector<RenderedFile> files;
};

Rendering make_rendering(const TargetRendering& target);

/// The files of the rendering that are missing or differ, and extra files next to them; "." if there is no
/// rendering. `instance` is the directory `instances/NAME`.
std::vector<std::string> find_damage(int instance, const Rendering& rendering);

/// How the rendering looks from outside; nothing if a part of it is missing. Two renderings that look the
/// same are the same, names that do not belong there included: those would show in their directory's change
/// time. `instances` is the directory of that name.
std::optional<StatFingerprint> stat_rendering(int instances, const std::string& server,
                                              const Rendering& rendering);

/// The port in a server.env.
std::optional<std::uint16_t> port_in(std::string_view environment);

/// The content of `instance`/`digest` as stored; nullopt if it is not complete.
std::optional<ObservedRendering> read_rendering(int instance, const std::string& digest);

/// Writes a missing rendering, or repairs an existing one.
Done write_rendering(int instance, const Rendering& rendering);

}  // namespace left4me::store
