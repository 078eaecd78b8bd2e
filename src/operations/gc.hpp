#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "operations/json.hpp"
#include "operations/view.hpp"
#include "reconciler/artifacts.hpp"

namespace left4me::operations {

/// What becomes of each artifact and rendering on the host, and why: what goes first.
std::vector<ArtifactVerdict> judge_artifacts(const View& view);

/// How many of those that go are still there.
std::size_t remaining(const std::vector<ArtifactVerdict>& verdicts, const View& left);

/// Of those that go, as far as it is known. Files that they share with others stay.
std::uint64_t bytes_that_go(const View& view, const std::vector<ArtifactVerdict>& verdicts);

/// "server/a runs with it, its source asks for it"; "nothing uses it any more, after the restart of
/// server/a".
std::string why_text(const View& view, const ArtifactVerdict& verdict);

/// The output of `gc -o json`; docs/cli.md documents its fields. `left`: nullptr, or the host after what goes
/// was to be removed.
Json gc_json(const View& view, const std::vector<ArtifactVerdict>& verdicts, const View* left);

}  // namespace left4me::operations
