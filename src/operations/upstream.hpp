#pragma once

#include <map>
#include <optional>
#include <string>

#include "adapters/store/build_files.hpp"
#include "operations/view.hpp"

namespace left4me::operations {

/// What each source stands for now, or why that cannot be told.
using Answers = std::map<std::string, std::expected<Pin, std::string>>;

/// Has the build units of these overlays ask upstream, in their sandbox: nothing of what is answered there is
/// parsed here. Waits for builds that are under way, and for ten minutes at most.
Result<Answers> ask_upstream(Context& context, const std::map<std::string, OverlaySource>& sources);

/// The last answer about this source; nullopt: nobody has asked.
std::optional<store::Upstream> last_answer(const Paths& paths, const std::string& overlay,
                                           const OverlaySource& source);

/// What the overlay's last artifact was built from, if it was built from this source; nullopt: unknown.
std::optional<Pin> built_pin(const Paths& paths, const std::string& overlay, const OverlaySource& source);

}  // namespace left4me::operations
