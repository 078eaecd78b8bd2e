#pragma once

#include "builder/partial_file.hpp"

namespace left4me::builder {

/// Answers the question in `.build/check`, if there is one: what a source stands for now, without its pin.
/// Builds nothing. False: nothing was asked.
bool answer_check(int build_directory, const DownloadSettings& downloads);

/// Answers it for a program that was killed while it did. False: none was under way.
bool end_killed_check(int build_directory);

}  // namespace left4me::builder
