#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "../adapters/store/place.hpp"
#include "adapters/fd.hpp"
#include "adapters/store/build_files.hpp"
#include "builder/partial_file.hpp"
#include "site/git_backend.hpp"
#include "site/https_server.hpp"
#include "specs/manifest.hpp"

namespace left4me {

/// A repository that git itself has made, in `repos/m.git` of a place.
class GitPlace {
  public:
    GitPlace();

    /// What a command of the shell prints, in the repository, without the last line feed. Fails the test if
    /// it fails.
    std::string shell(const std::string& script) const;
    /// Commits all of `work/` onto main, and returns the id.
    std::string commit() const;
    /// Makes a commit of a tree object that consists of these bytes, whether git likes it or not.
    std::string commit_tree(const std::string& tree) const;
    /// The id of a blob, in 20 bytes.
    std::string blob(const std::string& content) const;

    std::string repository() const { return place.path("repos/m.git"); }

    Place place;
};

/// An overlay `o` from git, and left4me-build that builds it.
class GitBuild {
  public:
    /// Over https.
    GitBuild(const GitPlace& repository, const HttpsServer& server);
    /// From the host.
    explicit GitBuild(const GitPlace& repository);

    pid_t start() const;
    /// Empty: it is built; else why not.
    std::string run() const;
    /// The same, with little patience.
    std::string run_in_haste() const;
    /// The same as run(), of a source that must be refused.
    std::string refusal() const;
    BuildRecord record() const { return store::read_record(directory_.get()); }
    /// What a check finds; nothing else changes.
    store::Upstream check() const;
    /// What the unit says of a check that was killed.
    store::Upstream killed_check() const;
    GitPin pin() const { return std::get<GitPin>(store::read_built_pin(directory_.get()).value()); }
    /// The artifact's directory, in the place.
    std::string artifact() const;
    std::vector<std::string> names() const { return place.names(artifact()); }

    const Place& place;
    GitSource source;
    bool elsewhere = false;  ///< on another host

  private:
    void request() const;

    Fd directory_;
};

/// Asks a server for a commit in this process, without patience.
class Fetching {
  public:
    explicit Fetching(const GitPlace& repository);

    /// Empty: there is a pack; else why not. What an earlier call has downloaded does not count.
    std::string run();
    /// The same of a repository on this server.
    std::string run(const HttpsServer& server, const std::string& path = "/m.git");

    GitSource source;
    builder::DownloadSettings settings;

  private:
    const Place& place_;
    Fd directory_;
};

/// The same each time.
std::string random_bytes(std::size_t count);

/// A server for the repositories of a place.
HttpsServer::Handler serve(const GitPlace& repository);

/// The pack in an answer of git's server.
std::string pack_of(const std::string& answer);
/// An answer with this pack.
std::string answer_with(const std::string& pack);

bool says(const std::string& message, std::string_view text);

}  // namespace left4me
