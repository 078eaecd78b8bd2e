#pragma once

#include <map>
#include <string>

#include "adapters/config/config.hpp"
#include "adapters/paths.hpp"
#include "support/scratch.hpp"

namespace left4me::test {

inline const std::string coop = "apiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: coop}\nspec: {}\n";
inline const std::string plain =
    "apiVersion: left4me/v1\nkind: Blueprint\nmetadata: {name: plain}\nspec: {}\n";

/// A bare repository for one test, written by git itself.
class Repository {
  public:
    Repository();

    std::filesystem::path path() const { return scratch_.path() / "m.git"; }
    const Scratch& scratch() const { return scratch_; }
    GitSettings settings() const {
        GitSettings settings;
        settings.repository = path();
        return settings;
    }

    /// A host's state next to it.
    Paths paths() const {
        Paths paths;
        paths.state = scratch_.path() / "state";
        std::filesystem::create_directories(paths.status());
        return paths;
    }

    /// git's output without the final newline. Fails the test if git fails.
    std::string git(const std::string& words, const std::string& input = {}) const;

    struct Entry {
        std::string text;
        std::string mode = "100644";
    };
    using Files = std::map<std::string, Entry>;
    /// Commits exactly these files onto the branch, and returns the commit's id. `parent` empty: the branch's
    /// current commit, or none; "none": an unrelated history.
    std::string commit(const Files& files, const std::string& branch = "main",
                       const std::string& parent = {}) const;

  private:
    Scratch scratch_;
};

}  // namespace left4me::test
