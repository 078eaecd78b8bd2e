#include "adapters/git/signature.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <string_view>

#include "adapters/child.hpp"

namespace left4me::git {

namespace {

constexpr const char* ssh_keygen = "/usr/bin/ssh-keygen";
constexpr std::chrono::seconds timeout{10};

struct Signed {
    std::string signature;
    std::string data;
};

std::expected<Signed, std::string> extract(git_repository* repository, const git_commit* commit) {
    git_buf signature = GIT_BUF_INIT;
    git_buf data = GIT_BUF_INIT;
    git_oid id = *git_commit_id(commit);
    const int result = git_commit_extract_signature(&signature, &data, repository, &id, nullptr);
    Signed found;
    if (result == 0) found = {std::string(signature.ptr, signature.size), std::string(data.ptr, data.size)};
    git_buf_dispose(&signature);
    git_buf_dispose(&data);
    if (result == GIT_ENOTFOUND) return std::unexpected("is not signed");
    if (result != 0) return std::unexpected("its signature cannot be read: " + last_error());
    if (!found.signature.starts_with("-----BEGIN SSH SIGNATURE-----")) {
        return std::unexpected("is not signed with an SSH key (git config gpg.format ssh)");
    }
    if (!found.signature.ends_with('\n')) found.signature += '\n';
    return found;
}

std::string first_line(std::string_view text) { return std::string(text.substr(0, text.find('\n'))); }

/// The commit's time, which git also uses for this check: the key may have been retired since.
std::string time_of(const git_commit* commit) {
    const auto seconds = static_cast<std::time_t>(git_commit_time(commit));
    return fmt::format("-Overify-time={:%Y%m%d%H%M%S}Z", fmt::gmtime(seconds));
}

std::expected<ChildResult, std::string> keygen(const std::vector<std::string>& words, const Signed& found) {
    const auto data = text_in_memory(found.data);
    const auto signature = text_in_memory(found.signature);
    if (!data || !signature) return std::unexpected(data ? signature.error() : data.error());
    std::vector<std::string> all{ssh_keygen, "-Y"};
    all.insert(all.end(), words.begin(), words.end());
    return run_child(all, *data, *signature, timeout);
}

}  // namespace

std::expected<std::string, std::string> verify_signature(git_repository* repository, const git_commit* commit,
                                                         const std::filesystem::path& allowed_signers) {
    const auto found = extract(repository, commit);
    if (!found) return std::unexpected(found.error());
    const std::string allowed = allowed_signers.string();
    const std::string time = time_of(commit);
    const auto known = keygen({"find-principals", "-s", "/dev/fd/3", "-f", allowed, time}, *found);
    if (!known) return std::unexpected(known.error());
    if (known->code != 0) {
        return std::unexpected(fmt::format("is signed with a key that {} does not allow ({})", allowed,
                                           first_line(known->output)));
    }
    std::string principal = first_line(known->output);
    principal.resize(std::min(principal.find(','), principal.size()));
    const auto good =
        keygen({"verify", "-n", "git", "-s", "/dev/fd/3", "-I", principal, "-f", allowed, time}, *found);
    if (!good) return std::unexpected(good.error());
    if (good->code != 0) {
        return std::unexpected(fmt::format("has an invalid signature ({})", first_line(good->output)));
    }
    return principal;
}

}  // namespace left4me::git
