#include "adapters/git/repository.hpp"

#include <fmt/format.h>

#include <cstdlib>

#include "support/catch.hpp"

namespace left4me::test {

Repository::Repository() {
    REQUIRE(std::system(("git init -q --bare -b main " + path().string()).c_str()) ==
            0);  // NOLINT(cert-env33-c)
}

std::string Repository::git(const std::string& words, const std::string& input) const {
    const std::string in = scratch_.write("in", input).string();
    const std::string out = (scratch_.path() / "out").string();
    const std::string command = fmt::format(
        "GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=Alice GIT_AUTHOR_EMAIL=alice@example.org "
        "GIT_COMMITTER_NAME=Alice GIT_COMMITTER_EMAIL=alice@example.org "
        // With the current time, every run would have different ids, and luck would decide about failures.
        "GIT_AUTHOR_DATE='1700000000 +0000' GIT_COMMITTER_DATE='1700000000 +0000' "
        "git --git-dir={} {} <{} >{} 2>&1",
        path().string(), words, in, out);
    const int code = std::system(command.c_str());  // NOLINT(cert-env33-c): the shell of a test
    std::string said = scratch_.read("out");
    INFO(command << "\n" << said);
    REQUIRE(code == 0);
    while (said.ends_with('\n')) said.pop_back();
    return said;
}

std::string Repository::commit(const Files& files, const std::string& branch,
                               const std::string& parent) const {
    std::string stream = fmt::format(
        "commit refs/heads/{}\ncommitter Alice <alice@example.org> 1700000000 +0000\ndata 11\nnew servers\n",
        branch);
    const bool begun = std::filesystem::exists(path() / "refs/heads" / branch);
    if (parent.empty() && begun) stream += fmt::format("from refs/heads/{}^0\n", branch);
    if (!parent.empty() && parent != "none") stream += fmt::format("from {}\n", parent);
    stream += "deleteall\n";
    for (const auto& [name, entry] : files) {
        if (entry.mode == "160000") {
            stream += fmt::format("M 160000 {} {}\n", entry.text, name);
        } else {
            stream +=
                fmt::format("M {} inline {}\ndata {}\n{}\n", entry.mode, name, entry.text.size(), entry.text);
        }
    }
    git("fast-import --force --quiet", stream);
    return git("rev-parse refs/heads/" + branch);
}

}  // namespace left4me::test
