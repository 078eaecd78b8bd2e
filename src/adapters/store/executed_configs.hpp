#pragma once

#include <cstddef>
#include <expected>
#include <map>
#include <set>
#include <string>

#include "adapters/paths.hpp"
#include "reconciler/target.hpp"

namespace left4me::store {

/// The game reads a console script whole and refuses a larger one.
inline constexpr std::size_t max_config_bytes = 1U << 20U;

/// The overlays whose server.cfg some server runs.
std::set<std::string> executed_overlays(const Desired& desired);

/// The server.cfg of artifacts. An artifact never changes, so each is read once.
class ExecutedConfigs {
  public:
    explicit ExecutedConfigs(const Paths& paths) : overlays_(paths.overlays()) {}

    /// The text of the file in `overlays/OVERLAY/DIGEST`. A link to another file of the artifact is followed,
    /// as the game does. Errors name the file and the remedy: it is missing, not a file, or too large.
    std::expected<SharedText, std::string> read(const std::string& overlay, const std::string& digest);

    /// Forgets all others.
    void keep(const std::set<std::string>& overlays);

  private:
    struct Known {
        std::string digest;
        SharedText text;
    };

    std::filesystem::path overlays_;
    std::map<std::string, Known> known_;
};

}  // namespace left4me::store
