#include "builder/git/read_commit.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <string_view>
#include <utility>

#include "adapters/path_names.hpp"
#include "adapters/store/tree.hpp"
#include "builder/messages.hpp"
#include "specs/text.hpp"

namespace left4me::builder {

namespace {

using Kind = Message::Kind;

constexpr unsigned format_bits = S_IFMT;
constexpr unsigned submodule = 0160000;
/// Tags may name tags.
constexpr int max_tags = 8;
constexpr std::size_t max_target_bytes = 4095;

struct TreeItem {
    unsigned mode = 0;
    std::string_view name;
    ObjectId id;

    bool is_directory() const { return (mode & format_bits) == S_IFDIR; }
};

/// The next entry of a tree: mode in octal, a blank, name, a NUL, 20 bytes of id.
std::optional<TreeItem> next_item(std::string_view& tree) {
    constexpr std::size_t digits = 6;
    const std::size_t blank = tree.find(' ');
    const std::size_t nul = tree.find('\0');
    if (blank == std::string_view::npos || blank == 0 || blank > digits || nul == std::string_view::npos ||
        nul <= blank + 1 || tree.size() - nul - 1 < ObjectId::size)
        return std::nullopt;
    TreeItem item;
    for (const char digit : tree.substr(0, blank)) {
        if (digit < '0' || digit > '7') return std::nullopt;
        item.mode = item.mode * 8 + static_cast<unsigned>(digit - '0');
    }
    item.name = tree.substr(blank + 1, nul - blank - 1);
    item.id = object_id_of(tree.substr(nul + 1, ObjectId::size));
    tree.remove_prefix(nul + 1 + ObjectId::size);
    return item;
}

/// git sorts directories as if their names ended in '/'.
bool comes_before(const TreeItem& a, const TreeItem& b) {
    const auto sorted = [](const TreeItem& item) {
        return std::string(item.name) + (item.is_directory() ? "/" : "");
    };
    return sorted(a) < sorted(b);
}

bool is_git_directory(std::string_view name) {
    constexpr std::string_view git = ".git";
    return std::equal(name.begin(), name.end(), git.begin(), git.end(),
                      [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; });
}

/// Why no repository that git made has such a name; empty: it may.
std::string why_hostile(std::string_view name) {
    if (name == "." || name == ".." || name.contains('/')) return "has a name that leads elsewhere";
    if (is_git_directory(name)) return "has git's own name; no repository that git made contains it";
    return {};
}

bool is_lfs_pointer(std::string_view content) {
    constexpr std::size_t longest = 1024;
    return content.size() <= longest && (content.starts_with("version https://git-lfs.github.com/spec/") ||
                                         content.starts_with("version https://hawser.github.com/spec/"));
}

/// The rest of the line that begins with `word` and a blank, if it is the first one.
std::string_view first_line(std::string_view text, std::string_view word) {
    if (!text.starts_with(word)) return {};
    text.remove_prefix(word.size());
    return text.substr(0, text.find('\n'));
}

class Walk {
  public:
    Walk(Objects& objects, int pipe) : objects_(objects), pipe_(pipe) {}

    void run(ObjectId id, const std::string& directory) {
        auto tree = find_tree(id);
        for (const std::string_view name : path_names(directory)) {
            if (!tree) return;
            tree = enter(*tree, name, directory);
        }
        if (tree && list(*tree->content, "", 1)) (void)send(Kind::End);
    }

  private:
    bool send(Kind kind, std::string text = {}, std::string more = {}, std::uint64_t number = 0) {
        return send_message(pipe_, {kind, number, position_, std::move(text), std::move(more)});
    }
    std::nullopt_t fail(const std::string& why) {
        (void)send(Kind::Failed, why);
        return std::nullopt;
    }
    /// What is wrong is not the download.
    std::nullopt_t refuse(const std::string& why) {
        (void)send(Kind::Failed, why, {}, 1);
        return std::nullopt;
    }

    std::optional<Object> read(const ObjectId& id, ObjectType type, const std::string& shown) {
        return checked(objects_.read(id), type, shown);
    }
    std::optional<Object> checked(std::expected<Object, NoObject> object, ObjectType type,
                                  const std::string& shown) {
        if (!object) return fail(fmt::format("{}: {}", shown, to_text(object.error())));
        if (object->type != type) return fail(shown + ": is something else than the repository says");
        position_ += object->packed;
        return std::move(*object);
    }

    std::optional<Object> find_tree(ObjectId id) {
        for (int tags = 0; tags < max_tags; ++tags) {
            const auto object = objects_.read(id);
            if (!object) return fail(fmt::format("commit {}: {}", to_text(id), to_text(object.error())));
            const bool tag = object->type == ObjectType::Tag;
            if (!tag && object->type != ObjectType::Commit)
                return refuse("`ref` names a file or a directory, not a commit");
            const auto next = parse_object_id(first_line(*object->content, tag ? "object " : "tree "));
            if (!next) return fail("commit " + to_text(id) + ": it is damaged");
            if (!tag) {
                if (!send(Kind::Revision, to_text(id))) return std::nullopt;
                return read(*next, ObjectType::Tree, "the top directory");
            }
            id = *next;
        }
        return refuse("`ref` names a tag of tags of tags");
    }

    std::optional<Object> enter(const Object& tree, std::string_view name, const std::string& directory) {
        std::string_view rest = *tree.content;
        while (!rest.empty()) {
            const auto item = next_item(rest);
            if (!item) return fail("a directory on the way to `path` is damaged");
            if (item->name == name && item->is_directory())
                return read(item->id, ObjectType::Tree, std::string(name));
        }
        return refuse(fmt::format("it has no directory {}; correct `path`", in_quotes(directory)));
    }

    /// Whether to go on.
    bool list(std::string_view tree, const std::string& directory, int depth) {
        std::optional<TreeItem> before;
        while (!tree.empty()) {
            const auto item = next_item(tree);
            if (!item || (before && !comes_before(*before, *item))) {
                (void)refuse(fmt::format("the directory {} is damaged, or has a name twice",
                                         in_quotes(directory.empty() ? "." : directory)));
                return false;
            }
            if (!visit(*item, directory, depth)) return false;
            before = item;
        }
        return true;
    }

    bool visit(const TreeItem& item, const std::string& directory, int depth) {
        const std::string path = directory + std::string(item.name);
        if (const std::string why = why_hostile(item.name); !why.empty()) {
            (void)refuse(in_quotes(path) + " " + why);
            return false;
        }
        switch (item.mode & format_bits) {
            case S_IFDIR:
                return descend(item, path, depth);
            case S_IFREG:
                return send_file(item, path);
            case S_IFLNK:
                return send_link(item, path);
            case submodule:
                return send(Kind::Refused, path,
                            "is a submodule, whose files are in another repository; exclude it, or make an "
                            "overlay of that repository");
            default:
                return send(Kind::Refused, path, "is neither a file, a directory nor a link; exclude it");
        }
    }

    bool descend(const TreeItem& item, const std::string& path, int depth) {
        if (depth >= store::max_tree_depth)
            return send(Kind::Refused, path, "is nested too deeply; exclude it");
        if (!send(Kind::Directory, path)) return false;
        const auto tree = read(item.id, ObjectType::Tree, path);
        return tree && list(*tree->content, path + "/", depth + 1);
    }

    bool send_file(const TreeItem& item, const std::string& path) {
        auto object = objects_.read(item.id);
        if (!object && object.error() == NoObject::TooLarge) {
            return send(Kind::Refused, path,
                        fmt::format("has more than {} MiB; exclude it, and take it from an archive",
                                    max_object_bytes >> 20U));
        }
        const auto blob = checked(std::move(object), ObjectType::Blob, path);
        if (!blob) return false;
        const std::string_view content = *blob->content;
        if (is_lfs_pointer(content)) {
            return send(Kind::Refused, path,
                        "is a pointer to a file that git LFS keeps elsewhere; exclude it, or use an archive "
                        "that contains the file");
        }
        if (!send(Kind::File, path, {}, item.mode & 0777U)) return false;
        for (std::size_t at = 0; at < content.size(); at += max_data_bytes) {
            if (!send_data(pipe_, position_, at, content.substr(at, max_data_bytes))) return false;
        }
        return send(Kind::EndOfFile, {}, {}, content.size());
    }

    bool send_link(const TreeItem& item, const std::string& path) {
        const auto blob = read(item.id, ObjectType::Blob, path);
        if (!blob) return false;
        if (blob->content->size() > max_target_bytes || blob->content->contains('\0'))
            return send(Kind::Refused, path, "is a symlink to a path that cannot exist; exclude it");
        return send(Kind::Link, path, *blob->content);
    }

    Objects& objects_;
    int pipe_;
    std::uint64_t position_ = 0;
};

}  // namespace

std::string to_text(NoObject why) {
    switch (why) {
        case NoObject::Missing:
            return "it is missing in the repository";
        case NoObject::Damaged:
            return "it is damaged";
        case NoObject::TooLarge:
            return fmt::format("it has more than {} MiB; use an archive", max_object_bytes >> 20U);
        case NoObject::TooMuch:
            return "it unpacks to far more than its size, as packs do that are made to keep a host busy";
    }
    return {};
}

void read_commit(Objects& objects, const ObjectId& commit, const std::string& directory, int pipe) {
    Walk(objects, pipe).run(commit, directory);
}

}  // namespace left4me::builder
