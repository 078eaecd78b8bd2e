#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "adapters/paths.hpp"
#include "reconciler/desired.hpp"
#include "reconciler/rollback.hpp"
#include "specs/manifest.hpp"

namespace left4me::operations {

/// Names in the overlays of one blueprint that get in each other's way.
struct Conflict {
    enum class Kind {
        SamePath,   ///< several overlays have another file there: the uppermost one wins
        OtherCase,  ///< paths that differ only in case: the game sees all of them, the author saw one
    };
    Kind kind = Kind::SamePath;
    /// SamePath: one file, or a directory with '/' at its end. OtherCase: all spellings.
    std::vector<std::string> paths;
    std::size_t files = 1;  ///< SamePath: how many, in and beneath the directory
    /// Uppermost first. OtherCase: "the installation" may be the last of them.
    std::vector<std::string> overlays;

    bool operator==(const Conflict&) const = default;
};

/// What a blueprint stacks.
struct OverlayStack {
    std::vector<std::string> overlays;  ///< uppermost first
    std::string installation = {};      ///< beneath them; empty: what is in `installation`
};

/// By blueprint: of a whole revision, or of the servers in one.
std::map<std::string, OverlayStack> stacks_of(const ManifestSet& set);
std::map<std::string, OverlayStack> stacks_of(const Desired& desired);

/// Finds conflicts in what is known of overlays on this host: the files of inline ones are in the manifest,
/// all others are looked at as servers can have them: as they were last built, or rolled back to. An overlay
/// that is not built, or that the caller may not read, has no files. Files with the same content are no
/// conflict.
class ConflictFinder {
  public:
    ConflictFinder(const Paths& paths, const std::map<std::string, OverlaySource>& sources);
    ~ConflictFinder();
    ConflictFinder(const ConflictFinder&) = delete;
    ConflictFinder& operator=(const ConflictFinder&) = delete;

    /// Few of kind SamePath, however many files there are: those of the same overlays are counted by
    /// directory. server.cfg is left out: the rendered one hides those of all overlays.
    std::vector<Conflict> find(const OverlayStack& stack);

  private:
    struct Files;
    const Files& files_of(const std::string& overlay);
    /// The path of the name in a directory of the game that is `lower` in lower case, or "".
    std::string installed_name(const std::string& game, const std::string& directory,
                               const std::string& lower);

    Paths paths_;
    const std::map<std::string, OverlaySource>& sources_;
    Rollbacks rollbacks_;
    std::map<std::string, Files> known_;
    /// The names in directories of installations: by installation and directory, by lower case.
    std::map<std::pair<std::string, std::string>, std::map<std::string, std::string>> installed_;
};

/// "competitive-rework and tickrate have different left4dead2/addons/tickrate_enabler.so; competitive-rework
/// wins".
std::string to_text(const Conflict& conflict);

/// One line for each conflict of these blueprints, a few of each blueprint.
std::vector<std::string> conflict_warnings(ConflictFinder& finder,
                                           const std::map<std::string, OverlayStack>& stacks);

}  // namespace left4me::operations
