#pragma once

#include <expected>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "adapters/paths.hpp"
#include "adapters/store/files.hpp"
#include "reconciler/build.hpp"
#include "specs/manifest.hpp"

/// The files in `overlays/NAME/.build` through which left4me and `left4me-build@NAME.service` communicate:
/// everything that the unit can see besides the source. Each is replaced atomically. The program's staging
/// directory is there too, so that a rename can publish it: from another directory, rename(2) would cross a
/// bind mount and fail.
namespace left4me::store {

/// `overlays/NAME/.build`; none if it is not there.
Fd open_build_directory(const Paths& paths, const std::string& overlay);
/// The same, created if it does not exist. `overlay`: the directory `overlays/NAME`.
std::expected<Fd, std::string> make_build_directory(int overlay);

/// What is to be built. Written by left4me, read by the unit's program alone. A cancellation ends with it.
/// Makes what a script's unit needs, too: see script_files.hpp.
Done write_request(int directory, const OverlaySource& source);
std::expected<OverlaySource, std::string> read_request(int directory);
/// nullopt: there is none.
std::optional<TimePoint> time_of_request(int directory);

/// What upstream has now is to be found out, without building anything. Written by left4me, read by the
/// unit's program, which removes it when it has answered. `question`: tells the answer from those to other
/// questions; a part of a file's name.
struct CheckRequest {
    OverlaySource source;  ///< its pin does not matter
    std::string question;
};
Done write_check(int directory, const CheckRequest& request);
/// For whoever answers it: from then on it is under way, until end_check(). nullopt: nothing was asked.
std::optional<CheckRequest> take_check(int directory);
/// The one that is under way; nullopt: none is.
std::optional<CheckRequest> read_taken_check(int directory);
void end_check(int directory);
/// Nobody has begun to answer it.
bool is_check_waiting(int directory);

/// What a check found: a pin of what the source stands for now, or why that could not be told.
struct Upstream {
    std::string question;
    std::string source;  ///< as pin_identity()
    TimePoint at;
    std::expected<Pin, std::string> pin = std::unexpected(std::string());
};
Done write_upstream(int directory, const Upstream& upstream);
/// nullopt: nobody ever asked.
std::optional<Upstream> read_upstream(int directory);

/// What the last artifact was built from, of a source that moves. Written before the record, whose
/// BuiltArtifact::pinned tells whether it is of that artifact.
Done write_built_pin(int directory, const Pin& pin);
std::optional<Pin> read_built_pin(int directory);

/// A missing or unreadable record counts as empty: the overlay is built again.
Done write_record(int directory, const BuildRecord& record);
BuildRecord read_record(int directory);

/// What is to become the record once the unit's other programs are done. Taking it removes it, and from then
/// on left4me-share touches nothing that the build has published. nullopt: there is none.
Done write_result(int directory, const BuildRecord& record);
std::optional<BuildRecord> take_result(int directory);

/// A person does not want this input built. Written before the unit is stopped: it has not failed then.
Done write_canceled(int directory, const std::string& input);
/// Empty: nobody has canceled anything since the last request.
std::string read_canceled(int directory);
/// nullopt: the same.
std::optional<TimePoint> time_of_canceling(int directory);

nlohmann::json to_json(const BuildRecord& record);
BuildRecord to_build_record(const nlohmann::json& object);

Done write_progress(int directory, const BuildProgress& progress);
std::optional<BuildProgress> read_progress(int directory);
void remove_progress(int directory);

}  // namespace left4me::store
