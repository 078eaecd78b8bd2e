#pragma once

#include "builder/git/source_objects.hpp"
#include "builder/partial_file.hpp"
#include "builder/progress.hpp"
#include "builder/result.hpp"
#include "specs/manifest.hpp"

namespace left4me::builder {

/// Asks a server over https or ssh for one commit without its history: git's protocol, version 2,
/// gitprotocol-v2(5). The pack is in `.build/download` and is kept for the same commit until it is discarded;
/// nothing of it has been parsed.
Built<SourceObjects> fetch_commit(const GitSource& source, int build_directory, Progress& progress,
                                  const DownloadSettings& settings);

/// The commit that the ref stands for now. Nothing is downloaded but the server's list of references.
Built<GitPin> look_up_commit(const GitSource& source, int build_directory, Progress& progress,
                             const DownloadSettings& settings);

/// Removes the pack: it is not what it should be.
void discard_pack(int build_directory);

}  // namespace left4me::builder
