#pragma once

#include "builder/progress.hpp"
#include "builder/result.hpp"
#include "builder/staging.hpp"
#include "specs/manifest.hpp"

namespace left4me::builder {

/// Has left4me-install@NAME.service install the game, in two passes: the first for Windows, because Steam
/// gives the one for Linux to nobody who has not asked for that (docs/decisions/0032-installations.md). It
/// begins with a copy of `last_artifact` (an open directory, or -1), or with what a killed build has left:
/// steamcmd fetches what is missing or different.
Built<Staged> stage_steam(const SteamSource& source, int build_directory, int last_artifact, Staging& staging,
                          Progress& progress);

/// The newest build at Steam.
Built<Pin> look_up_steam(int build_directory, Progress& progress);

}  // namespace left4me::builder
