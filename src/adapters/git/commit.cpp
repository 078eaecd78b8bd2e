#include "adapters/git/commit.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <vector>

#include "adapters/git/reference.hpp"

namespace left4me::git {

namespace {

/// Other members of the operators' group push into the same directories, so files that we create must be
/// group-writable. (libgit2 leaves core.sharedRepository to git.)
class GroupMayWrite {
  public:
    GroupMayWrite() : before_(::umask(0002)) {}
    GroupMayWrite(const GroupMayWrite&) = delete;
    GroupMayWrite& operator=(const GroupMayWrite&) = delete;
    ~GroupMayWrite() { ::umask(before_); }

  private:
    mode_t before_;
};

std::unexpected<CommitError> failure(const char* what) {
    return std::unexpected(CommitError{false, fmt::format("cannot {}: {}", what, last_error())});
}

git_filemode_t mode_of(const git_tree* tree, const std::string& path) {
    git_tree_entry* found = nullptr;
    if (git_tree_entry_bypath(&found, tree, path.c_str()) != 0) return GIT_FILEMODE_BLOB;
    const git_filemode_t mode = git_tree_entry_filemode(found);
    git_tree_entry_free(found);
    return mode == GIT_FILEMODE_BLOB_EXECUTABLE ? mode : GIT_FILEMODE_BLOB;
}

/// The tree of the base with the change applied; every other entry stays the same object.
int changed_tree(git_oid& id, git_repository* repository, const git_commit* base,
                 const SourceChange& change) {
    Owned<git_tree> tree;
    if (base != nullptr) {
        if (const int result = take(tree, [&](git_tree** out) { return git_commit_tree(out, base); }))
            return result;
    } else {
        Owned<git_treebuilder> nothing;
        git_oid empty{};
        if (const int result = take(nothing, [&](git_treebuilder** out) {
                return git_treebuilder_new(out, repository, nullptr);
            })) {
            return result;
        }
        if (const int result = git_treebuilder_write(&empty, nothing.get())) return result;
        if (const int result =
                take(tree, [&](git_tree** out) { return git_tree_lookup(out, repository, &empty); })) {
            return result;
        }
    }
    std::vector<git_tree_update> updates;
    for (const auto& [path, text] : change.write) {
        git_oid blob{};
        if (const int result = git_blob_create_from_buffer(&blob, repository, text.data(), text.size()))
            return result;
        updates.push_back({GIT_TREE_UPDATE_UPSERT, blob, mode_of(tree.get(), path.string()), path.c_str()});
    }
    for (const auto& path : change.remove) {
        updates.push_back({GIT_TREE_UPDATE_REMOVE, git_oid{}, GIT_FILEMODE_BLOB, path.c_str()});
    }
    return git_tree_create_updated(&id, repository, tree.get(), updates.size(), updates.data());
}

int write_commit(git_oid& id, git_repository* repository, const git_oid& tree_id, const git_commit* base,
                 const Authorship& who) {
    Owned<git_tree> tree;
    Owned<git_signature> author;
    Owned<git_signature> committer;
    const std::string host = who.email.substr(std::min(who.email.find('@'), who.email.size()));
    if (const int result =
            take(tree, [&](git_tree** out) { return git_tree_lookup(out, repository, &tree_id); })) {
        return result;
    }
    if (const int result = take(author, [&](git_signature** out) {
            return git_signature_now(out, who.name.c_str(), who.email.c_str());
        })) {
        return result;
    }
    if (const int result = take(committer, [&](git_signature** out) {
            return git_signature_now(out, "left4me", ("left4me" + host).c_str());
        })) {
        return result;
    }
    // The variadic function, because the type of git_commit_create()'s list of parents differs between
    // releases.
    return git_commit_create_v(&id, repository, nullptr, author.get(), committer.get(), "UTF-8",
                               who.message.c_str(), tree.get(), base == nullptr ? 0U : 1U, base);
}

}  // namespace

std::expected<std::string, CommitError> commit_change(git_repository* repository,
                                                      const std::filesystem::path& path,
                                                      const std::string& branch, const SourceChange& change,
                                                      const Authorship& who) {
    const GroupMayWrite shared;
    git_oid base_id{};
    Owned<git_commit> base;
    if (!change.base.empty()) {
        if (git_oid_fromstr(&base_id, change.base.c_str()) != 0 ||
            take(base, [&](git_commit** out) { return git_commit_lookup(out, repository, &base_id); }) != 0) {
            return failure("read the commit that the change was made from");
        }
    }
    git_oid tree{};
    if (changed_tree(tree, repository, base.get(), change) != 0) return failure("write the changed files");
    git_oid id{};
    if (write_commit(id, repository, tree, base.get(), who) != 0) return failure("write the commit");
    const std::string reference = "refs/heads/" + branch;
    const auto moved = move_reference(path, reference, id, base ? &base_id : nullptr);
    if (!moved) return std::unexpected(CommitError{false, moved.error()});
    if (!*moved) {
        return std::unexpected(CommitError{
            true,
            fmt::format(
                "branch {} keeps moving, or a push that was killed left {}/{}.lock: remove that file if no "
                "push is under way",
                branch, path.string(), reference)});
    }
    return to_text(id);
}

}  // namespace left4me::git
