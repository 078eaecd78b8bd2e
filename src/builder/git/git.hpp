#pragma once

#include "builder/partial_file.hpp"
#include "builder/progress.hpp"
#include "builder/result.hpp"
#include "builder/staging.hpp"
#include "specs/manifest.hpp"

namespace left4me::builder {

/// Takes the files of one commit, from a server or from a repository of this host. Takes the network away
/// from this process when nothing is to be downloaded any more. Staged::revision is the commit.
Built<Staged> stage_git(const GitSource& source, int build_directory, Staging& staging, Progress& progress,
                        const DownloadSettings& settings);

/// The commit that the ref stands for now.
Built<GitPin> look_up_git(const GitSource& source, int build_directory, Progress& progress,
                          const DownloadSettings& settings);

}  // namespace left4me::builder
