#include "adapters/git/manifest_repository.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "adapters/git/commit.hpp"
#include "adapters/git/fetch.hpp"
#include "adapters/git/library.hpp"
#include "adapters/git/reference.hpp"
#include "adapters/git/signature.hpp"
#include "adapters/git/store.hpp"
#include "adapters/git/tree.hpp"
#include "specs/text.hpp"

namespace left4me {

namespace fs = std::filesystem;
using git::Owned;

namespace {

std::unexpected<SourceError> vanished(std::string message, std::string revision = {}) {
    return std::unexpected(
        SourceError{SourceErrorKind::Vanished, std::move(message) + "\n", std::move(revision)});
}

/// One line of a commit, which anybody may have written.
std::string one_line(const char* text) { return printable_line(text == nullptr ? "" : text); }

Snapshot describe(const git_commit* commit) {
    Snapshot snapshot;
    snapshot.revision = git::to_text(*git_commit_id(commit));
    snapshot.prefix = git::to_short_text(*git_commit_id(commit)) + ":";
    const git_signature* const author = git_commit_author(commit);
    if (author != nullptr)
        snapshot.author = fmt::format("{} <{}>", one_line(author->name), one_line(author->email));
    // git_commit_summary() caches its result in the commit, so the commit is not const there.
    snapshot.subject = one_line(git_commit_summary(const_cast<git_commit*>(commit)));
    snapshot.at = std::chrono::system_clock::from_time_t(static_cast<std::time_t>(git_commit_time(commit)));
    return snapshot;
}

std::unexpected<SourceError> unreadable(const std::string& name) {
    return vanished(fmt::format("{}: {}", name, git::last_error()));
}

/// An object by its digits, 4 to 40 of them.
int look_up_digits(Owned<git_object>& object, git_repository* repository, const std::string& digits) {
    git_oid id{};
    const bool fits = digits.size() >= 4 && digits.size() <= GIT_OID_HEXSZ;
    if (!fits || git_oid_fromstrn(&id, digits.data(), digits.size()) != 0) return GIT_ENOTFOUND;
    return git::take(object, [&](git_object** out) {
        return git_object_lookup_prefix(out, repository, &id, digits.size(), GIT_OBJECT_ANY);
    });
}

/// Resolves what a person calls a commit: digits, a branch or a tag, optionally followed by `~2` or `^`.
/// `head` replaces HEAD. libgit2 gets only digits, because it would read any file in refs/ that a name leads
/// to.
std::expected<Owned<git_commit>, SourceError> find_commit(git_repository* repository, const fs::path& path,
                                                          const std::string& name, const std::string& head) {
    const std::size_t end = std::min(name.find_first_of("~^"), name.size());
    const std::string base = name.substr(0, end);
    const std::string shown = printable_line(name);
    Owned<git_object> object;
    int result = look_up_digits(object, repository, base);
    if (result == GIT_ENOTFOUND) {
        const std::vector<std::string> candidates =
            base == "HEAD"
                ? std::vector{head}
                : std::vector{"refs/heads/" + base, "refs/tags/" + base, "refs/remotes/origin/" + base};
        std::optional<git_oid> id;
        for (const std::string& candidate : candidates) {
            auto found = git::read_reference(path, candidate);
            if (!found) return vanished(fmt::format("{}: {}", shown, found.error()));
            if ((id = *found)) break;
        }
        if (!id) return vanished(fmt::format("{}: no commit, branch or tag has that name", shown));
        result = git::take(object, [&](git_object** out) {
            return git_object_lookup(out, repository, &*id, GIT_OBJECT_ANY);
        });
    }
    if (result != 0) return unreadable(shown);
    // Only digits from here on; `^{commit}` leads from an annotated tag to its commit.
    const std::string specification =
        git::to_text(*git_object_id(object.get())) + name.substr(end) + "^{commit}";
    Owned<git_object> commit;
    if (git::take(commit, [&](git_object** out) {
            return git_revparse_single(out, repository, specification.c_str());
        }) != 0) {
        return unreadable(shown);
    }
    return Owned<git_commit>(reinterpret_cast<git_commit*>(commit.release()));
}

std::expected<Snapshot, SourceError> read_commit(git_repository* repository, const git_commit* commit,
                                                 const GitSettings& settings, const Limits& limits,
                                                 const std::string& prefix) {
    Snapshot snapshot = describe(commit);
    snapshot.prefix = prefix;
    auto files = git::read_tree(repository, commit, settings.directory, limits, prefix);
    if (!files) {
        files.error().revision = snapshot.revision;
        return std::unexpected(std::move(files.error()));
    }
    snapshot.files = std::move(*files);
    return snapshot;
}

std::expected<void, SourceError> check_signature(git_repository* repository, const git_commit* commit,
                                                 const fs::path& allowed_signers) {
    if (allowed_signers.empty()) return {};
    const auto principal = git::verify_signature(repository, commit, allowed_signers);
    if (principal) return {};
    const std::string revision = git::to_text(*git_commit_id(commit));
    return std::unexpected(
        SourceError{SourceErrorKind::Held,
                    fmt::format("commit {} {}\n  source.git.allowedSigners requires a valid signature\n",
                                revision, principal.error()),
                    revision});
}

}  // namespace

ManifestRepository::ManifestRepository(GitSettings settings, Limits limits)
    : settings_(std::move(settings)), limits_(limits) {}

std::string ManifestRepository::name() const {
    return fmt::format("branch {} of {}", settings_.branch,
                       settings_.remote.empty() ? settings_.repository.string() : settings_.remote);
}

std::string ManifestRepository::reference() const {
    return settings_.remote.empty() ? "refs/heads/" + settings_.branch : git::tracking_reference(settings_);
}

std::expected<Snapshot, SourceError> ManifestRepository::read() {
    const auto repository = git::open_repository(settings_.repository);
    const bool remote = !settings_.remote.empty();
    if (!repository) {
        return vanished(repository.error() + (remote ? "\n  sudo l4d2ctl reconcile --fetch fetches it"
                                                     : "\n  sudo l4d2ctl init-repo makes it"));
    }
    const auto tip = git::read_reference(settings_.repository, reference());
    if (!tip) return vanished(tip.error());
    if (!*tip) {
        return vanished(fmt::format("{}: has no branch {}{}", settings_.repository.string(), settings_.branch,
                                    remote ? " yet; sudo l4d2ctl reconcile --fetch fetches it"
                                           : "; push it to create it, or set source.git.branch"));
    }
    const git_oid id = **tip;
    Owned<git_commit> commit;
    if (git::take(commit, [&](git_commit** out) { return git_commit_lookup(out, repository->get(), &id); }) !=
        0) {
        return vanished(fmt::format("{}: commit {} cannot be read: {}", settings_.repository.string(),
                                    git::to_text(id), git::last_error()),
                        git::to_text(id));
    }
    if (auto good = check_signature(repository->get(), commit.get(), settings_.allowed_signers); !good) {
        return std::unexpected(std::move(good.error()));
    }
    return read_commit(repository->get(), commit.get(), settings_, limits_, git::to_short_text(id) + ":");
}

std::expected<Snapshot, SourceError> ManifestRepository::read_revision(const std::string& revision) {
    const auto repository = git::open_repository(settings_.repository);
    if (!repository) return vanished(repository.error());
    auto commit = find_commit(repository->get(), settings_.repository, revision, reference());
    if (!commit) return std::unexpected(std::move(commit.error()));
    const git_oid id = *git_commit_id(commit->get());
    return read_commit(repository->get(), commit->get(), settings_, limits_, git::to_short_text(id) + ":");
}

std::expected<Snapshot, SourceError> ManifestRepository::read_pushed(const std::string& revision,
                                                                     const fs::path& quarantine) {
    const auto repository = git::open_repository(settings_.repository);
    if (!repository) return vanished(repository.error());
    if (!quarantine.empty()) {
        Owned<git_odb> store;
        if (git::take(store, [&](git_odb** out) { return git_repository_odb(out, repository->get()); }) !=
                0 ||
            git::add_checked_store(store.get(), quarantine) != 0) {
            return vanished(fmt::format("{}: {}", quarantine.string(), git::last_error()));
        }
    }
    const auto commit = find_commit(repository->get(), settings_.repository, revision, reference());
    if (!commit) return std::unexpected(commit.error());
    if (auto good = check_signature(repository->get(), commit->get(), settings_.allowed_signers); !good) {
        return std::unexpected(std::move(good.error()));
    }
    return read_commit(repository->get(), commit->get(), settings_, limits_, {});
}

bool ManifestRepository::is_blank() {
    if (!settings_.remote.empty()) return false;
    const auto repository = git::open_repository(settings_.repository);
    if (!repository) return false;
    const auto tip = git::read_reference(settings_.repository, reference());
    return tip && !*tip;
}

bool ManifestRepository::follows(const std::string& before, const std::string& now) {
    git_oid from{};
    git_oid to{};
    // In force before this source was: a directory's revision has 16 digits.
    if (before.size() != GIT_OID_HEXSZ || git_oid_fromstr(&from, before.c_str()) != 0) return true;
    if (before == now) return true;
    const auto repository = git::open_repository(settings_.repository);
    return repository && git_oid_fromstr(&to, now.c_str()) == 0 &&
           git_graph_descendant_of(repository->get(), &to, &from) == 1;
}

std::string ManifestRepository::new_file(const std::string& name) const {
    return settings_.directory.empty() ? name : settings_.directory + "/" + name;
}

std::string ManifestRepository::expected_revision(const std::vector<SourceFile>& /*files*/) {
    return "the-next-commit";
}

std::expected<std::string, CommitError> ManifestRepository::commit(const SourceChange& change,
                                                                   const Authorship& who) {
    const auto refuse = [](std::string why) { return std::unexpected(CommitError{false, std::move(why)}); };
    if (!settings_.remote.empty()) {
        return refuse(fmt::format(
            "the manifests of this host are branch {0} of {1}: commit the change there and push it\n"
            "  git push {1} HEAD:{0}\n"
            "  sudo l4d2ctl reconcile --fetch fetches it immediately; nothing was changed here\n",
            settings_.branch, settings_.remote));
    }
    if (!settings_.allowed_signers.empty()) {
        return refuse(fmt::format(
            "commits to {} must be signed (source.git.allowedSigners), and l4d2ctl has no key: commit "
            "the change in a clone, git commit -S, and push it\n  nothing was changed\n",
            name()));
    }
    const auto repository = git::open_repository(settings_.repository);
    if (!repository) return refuse(repository.error());
    return git::commit_change(repository->get(), settings_.repository, settings_.branch, change, who);
}

std::vector<fs::path> ManifestRepository::watch_paths() const {
    // Only the branch: anybody who may push can change the rest of refs/.
    return {settings_.repository / reference()};
}

std::optional<std::chrono::seconds> ManifestRepository::fetch_interval() const {
    if (settings_.remote.empty()) return std::nullopt;
    return settings_.interval;
}

std::expected<void, std::string> ManifestRepository::fetch() {
    if (settings_.remote.empty()) return {};
    return git::fetch_apart(settings_);
}

}  // namespace left4me
