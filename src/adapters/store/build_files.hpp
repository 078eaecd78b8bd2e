#pragma once

#include <expected>
#include <optional>
#include <string>

#include "adapters/store/files.hpp"
#include "reconciler/build.hpp"
#include "specs/manifest.hpp"

/// What left4me and `left4me-build@NAME.service` tell each other, as files in `overlays/NAME/.build`: all
/// that the unit can see beside the source. Each is replaced in one step. The program's staging directory is
/// there too, so that a rename can publish it: from another directory, rename(2) would cross a bind mount and
/// fail.
namespace left4me::store {

inline constexpr const char* build_directory = ".build";

/// An artifact, and what it was built from.
struct BuiltArtifact {
    std::string generation;
    std::string input;  ///< the source's Looks::fingerprint

    bool operator==(const BuiltArtifact&) const = default;
};

/// How builds of an overlay ended.
struct BuildRecord {
    std::optional<BuiltArtifact> artifact;  ///< of the last one that did not fail
    std::optional<BuildFailure> failure;    ///< of the last one, if it failed
    std::string invocation;                 ///< INVOCATION_ID of the last one, systemd.exec(5)

    bool operator==(const BuildRecord&) const = default;
};

/// `overlays/NAME/.build`, made if it is not there.
std::expected<Fd, std::string> make_build_directory(int overlay);

/// What is to be built. Written by left4me, read by the unit's program alone.
Done write_request(int directory, const OverlaySource& source);
std::expected<OverlaySource, std::string> read_request(int directory);

/// A record that is missing or cannot be read is an empty one: the overlay is built again.
Done write_record(int directory, const BuildRecord& record);
BuildRecord read_record(int directory);

Done write_progress(int directory, const BuildProgress& progress);
std::optional<BuildProgress> read_progress(int directory);
void remove_progress(int directory);

}  // namespace left4me::store
