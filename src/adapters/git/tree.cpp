#include "adapters/git/tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "specs/text.hpp"

namespace left4me::git {

namespace {

constexpr int max_depth = 16;
/// A tree that contains itself has an unlimited number of entries in a few hundred bytes.
constexpr std::size_t max_entries = 100'000;
/// For all manifests together.
constexpr std::size_t max_bytes = std::size_t{64} << 20U;

bool is_unfit_name(std::string_view name) {
    const bool plain = std::none_of(name.begin(), name.end(), [](char c) {
        return static_cast<unsigned char>(c) < ' ' || c == '\x7f' || c == '/' || c == '\\';
    });
    return name.empty() || name == "." || name == ".." || !plain;
}

class Walk {
  public:
    Walk(git_repository* repository, const Limits& limits, const std::string& prefix)
        : repository_(repository), limits_(limits), prefix_(prefix) {}

    bool walk(const git_tree* tree, const std::string& path, int depth) {
        if (depth > max_depth) return refuse(path, fmt::format("more than {} directories deep", depth - 1));
        for (std::size_t i = 0; i < git_tree_entrycount(tree); ++i) {
            if (++entries_ > max_entries) {
                return refuse(path, fmt::format("the tree has more than {} entries", max_entries));
            }
            if (!visit(git_tree_entry_byindex(tree, i), path, depth)) return false;
        }
        return true;
    }

    std::expected<std::vector<SourceFile>, SourceError> take(bool whole) {
        if (!whole) return std::unexpected(std::move(error_));
        // A tree sorts directories as if their names ended in '/'.
        std::sort(files_.begin(), files_.end(),
                  [](const SourceFile& a, const SourceFile& b) { return a.name < b.name; });
        return std::move(files_);
    }

  private:
    bool refuse(const std::string& path, const std::string& why,
                SourceErrorKind error_kind = SourceErrorKind::Invalid) {
        error_ = {error_kind, fmt::format("{}{}: {}\n", prefix_, path.empty() ? "." : path, why)};
        return false;
    }

    bool missing(const std::string& path) {
        return refuse(path, "cannot be read: " + last_error(), SourceErrorKind::Vanished);
    }

    bool visit(const git_tree_entry* entry, const std::string& directory, int depth) {
        const std::string name = git_tree_entry_name(entry);
        const std::string slash = directory.empty() ? "" : "/";
        if (is_unfit_name(name)) {
            return refuse(directory, fmt::format("the name {} is not allowed", in_quotes(name)));
        }
        const std::string path = directory + slash + name;
        if (name.starts_with('.')) return true;
        switch (git_tree_entry_filemode_raw(entry)) {
            case GIT_FILEMODE_LINK:
                return refuse(path, "is a symlink; left4me does not follow symlinks in a repository");
            case GIT_FILEMODE_COMMIT:
                return refuse(path, "is a submodule; left4me reads only this repository");
            default:
                break;
        }
        if (git_tree_entry_type(entry) == GIT_OBJECT_TREE) return descend(entry, path, depth);
        if (git_tree_entry_type(entry) != GIT_OBJECT_BLOB)
            return refuse(path, "is neither file nor directory");
        return !is_source_name(name, depth) || read(git_tree_entry_id(entry), path);
    }

    bool descend(const git_tree_entry* entry, const std::string& path, int depth) {
        Owned<git_tree> tree;
        const int result = git::take(tree, [&](git_tree** out) {
            return git_tree_lookup(out, repository_, git_tree_entry_id(entry));
        });
        return result == 0 ? walk(tree.get(), path, depth + 1) : missing(path);
    }

    bool read(const git_oid* id, const std::string& path) {
        if (files_.size() >= limits_.documents) {
            return refuse(path, fmt::format("more than {} files (limits.documents)", limits_.documents));
        }
        Owned<git_odb> store;
        if (git::take(store, [&](git_odb** out) { return git_repository_odb(out, repository_); }) != 0) {
            return missing(path);
        }
        std::size_t size = 0;
        git_object_t type = GIT_OBJECT_INVALID;
        if (git_odb_read_header(&size, &type, store.get(), id) != 0) return missing(path);
        if (type != GIT_OBJECT_BLOB) return refuse(path, "is no file, though the tree says so");
        if (size > limits_.file_bytes) {
            return refuse(
                path, fmt::format("has {} bytes, more than {} (limits.fileBytes)", size, limits_.file_bytes));
        }
        bytes_ += size;
        if (bytes_ > max_bytes) {
            return refuse(path, fmt::format("all manifests together have more than {} bytes", max_bytes));
        }
        Owned<git_blob> blob;
        if (git::take(blob, [&](git_blob** out) { return git_blob_lookup(out, repository_, id); }) != 0) {
            return missing(path);
        }
        files_.push_back({path, std::string(static_cast<const char*>(git_blob_rawcontent(blob.get())),
                                            static_cast<std::size_t>(git_blob_rawsize(blob.get())))});
        return true;
    }

    git_repository* repository_;
    const Limits& limits_;
    const std::string& prefix_;
    std::vector<SourceFile> files_;
    SourceError error_;
    std::size_t entries_ = 0;
    std::size_t bytes_ = 0;
};

/// The tree of the configured directory.
std::expected<Owned<git_tree>, SourceError> subtree(git_repository* repository, Owned<git_tree> root,
                                                    const std::string& directory, const std::string& prefix) {
    if (directory.empty()) return root;
    git_tree_entry* found = nullptr;
    const int result = git_tree_entry_bypath(&found, root.get(), directory.c_str());
    const std::unique_ptr<git_tree_entry, decltype(&git_tree_entry_free)> entry(found, &git_tree_entry_free);
    if (result != 0 || git_tree_entry_type(found) != GIT_OBJECT_TREE) {
        const char* const what = result == 0 ? "is no directory" : "is not there";
        return std::unexpected(
            SourceError{SourceErrorKind::Vanished,
                        fmt::format("{}{}: {}; source.git.directory names it\n", prefix, directory, what)});
    }
    Owned<git_tree> tree;
    if (take(tree, [&](git_tree** out) {
            return git_tree_lookup(out, repository, git_tree_entry_id(found));
        }) != 0) {
        return std::unexpected(SourceError{SourceErrorKind::Vanished,
                                           fmt::format("{}{}: {}\n", prefix, directory, last_error())});
    }
    return tree;
}

}  // namespace

std::expected<std::vector<SourceFile>, SourceError> read_tree(git_repository* repository,
                                                              const git_commit* commit,
                                                              const std::string& directory,
                                                              const Limits& limits,
                                                              const std::string& prefix) {
    Owned<git_tree> root;
    if (take(root, [&](git_tree** out) { return git_commit_tree(out, commit); }) != 0) {
        return std::unexpected(
            SourceError{SourceErrorKind::Vanished, fmt::format("{}.: {}\n", prefix, last_error())});
    }
    auto tree = subtree(repository, std::move(root), directory, prefix);
    if (!tree) return std::unexpected(std::move(tree.error()));
    Walk walk(repository, limits, prefix);
    const bool whole = walk.walk(tree->get(), directory, 0);
    auto files = walk.take(whole);
    if (files && !has_manifests(*files)) {
        return std::unexpected(SourceError{
            SourceErrorKind::Vanished,
            fmt::format("{}{}: holds no manifest (*.yaml)\n", prefix, directory.empty() ? "." : directory)});
    }
    return files;
}

}  // namespace left4me::git
