#pragma once

#include <expected>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "adapters/store/files.hpp"
#include "reconciler/build.hpp"
#include "specs/manifest.hpp"

/// The files in `overlays/NAME/.build` through which left4me and `left4me-build@NAME.service` communicate:
/// everything that the unit can see besides the source. Each is replaced atomically. The program's staging
/// directory is there too, so that a rename can publish it: from another directory, rename(2) would cross a
/// bind mount and fail.
namespace left4me::store {

/// `overlays/NAME/.build`, created if it does not exist.
std::expected<Fd, std::string> make_build_directory(int overlay);

/// What is to be built. Written by left4me, read by the unit's program alone. A cancellation ends with it.
/// Makes what a script's unit needs, too: see script_files.hpp.
Done write_request(int directory, const OverlaySource& source);
std::expected<OverlaySource, std::string> read_request(int directory);
/// nullopt: there is none.
std::optional<TimePoint> time_of_request(int directory);

/// A missing or unreadable record counts as empty: the overlay is built again.
Done write_record(int directory, const BuildRecord& record);
BuildRecord read_record(int directory);

/// A person does not want this input built. Written before the unit is stopped: it has not failed then.
Done write_canceled(int directory, const std::string& input);
/// Empty: nobody has canceled anything since the last request.
std::string read_canceled(int directory);

nlohmann::json to_json(const BuildRecord& record);
BuildRecord to_build_record(const nlohmann::json& object);

Done write_progress(int directory, const BuildProgress& progress);
std::optional<BuildProgress> read_progress(int directory);
void remove_progress(int directory);

}  // namespace left4me::store
