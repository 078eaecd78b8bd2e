#include "adapters/git/layout.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string_view>

#include "adapters/child.hpp"
#include "adapters/fd.hpp"
#include "adapters/files.hpp"
#include "adapters/git/config_file.hpp"
#include "adapters/git/library.hpp"
#include "specs/text.hpp"

namespace left4me::git {

namespace {

constexpr mode_t closed_mode = 0755;
constexpr mode_t objects_mode = 03775;
constexpr mode_t references_mode = 02775;
/// A name that git does not read.
constexpr std::string_view aside = ".before-left4me";
constexpr std::size_t max_told = 200;
constexpr std::size_t max_packed_bytes = std::size_t{16} << 20U;
constexpr off_t max_reference_bytes = 1024;
/// Branches and root's files are never nested deeper.
constexpr int max_depth = 8;
constexpr std::chrono::minutes unpack_timeout{10};

struct Setting {
    const char* name;
    const char* value;
};

/// Settings that the layout depends on.
constexpr std::array<Setting, 8> required{{
    {"core.repositoryformatversion", "0"},
    {"core.bare", "true"},
    // Everybody can read what is pushed, and nobody else can write it, regardless of the umask of the person
    // who pushes.
    {"core.sharedRepository", "0644"},
    {"core.logAllRefUpdates", "false"},
    {"receive.unpackLimit", "2147483647"},
    {"receive.autogc", "false"},
    {"gc.auto", "0"},
    {"gc.packRefs", "false"},
}};

/// Defaults that root may change. Pushes hit these limits before left4me's.
constexpr std::array<Setting, 2> defaults{{
    {"receive.fsckObjects", "true"},
    {"receive.maxInputSize", "64m"},
}};

std::optional<struct stat> stat_at(int directory, const std::string& name) {
    struct stat status{};
    if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
    return status;
}

Fd open_directory(int parent, const std::string& name) {
    return Fd(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

Fd open_file(int parent, const std::string& name) {
    return Fd(::openat(parent, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

std::vector<std::string> list(int directory) {
    std::vector<std::string> names;
    const int copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(copy), &::closedir);
    if (!entries) return names;
    while (const dirent* const entry = ::readdir(entries.get())) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") names.emplace_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

/// Root owns it and everything in it, and only root can write there.
bool is_roots(int directory, const std::string& name, int depth = 0) {
    const auto status = stat_at(directory, name);
    if (!status || status->st_uid != 0 || (status->st_mode & 022U) != 0 || depth > max_depth) return false;
    if (S_ISREG(status->st_mode)) return status->st_nlink == 1;
    const Fd inner = S_ISDIR(status->st_mode) ? open_directory(directory, name) : Fd();
    if (!inner) return false;
    const auto names = list(inner.get());
    return std::all_of(names.begin(), names.end(),
                       [&](const std::string& one) { return is_roots(inner.get(), one, depth + 1); });
}

bool is_hex_pair(std::string_view name) {
    return name.size() == 2 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// The lines of an existing packed-refs that name branches and tags.
std::string fit_references(std::string_view text) {
    std::string fit;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (line.size() <= GIT_OID_HEXSZ || line[GIT_OID_HEXSZ] != ' ') continue;
        git_oid id{};
        int valid = 0;
        const std::string name(line.substr(GIT_OID_HEXSZ + 1));
        if (git_oid_fromstrn(&id, line.data(), GIT_OID_HEXSZ) == 0 &&
            (name.starts_with("refs/heads/") || name.starts_with("refs/tags/")) &&
            git_reference_name_is_valid(&valid, name.c_str()) == 0 && valid == 1) {
            fit += std::string(line) + "\n";
        }
    }
    return fit;
}

class Builder {
  public:
    explicit Builder(const Layout& layout) : layout_(layout) {}

    std::expected<std::vector<std::string>, std::string> run() {
        // The top directory is closed before anything in it is trusted.
        if (!open_top() || !clear_top() || !tend_references() || !tend_objects() || !configure() ||
            !place_file(top_.get(), "HEAD", "ref: refs/followed\n", 0644) || !make_hooks() || !tend_packs()) {
            return std::unexpected(error_);
        }
        if (untold_ > 0) told_.push_back(fmt::format("and {} more", untold_));
        return told_;
    }

  private:
    struct Owner {
        uid_t user;
        gid_t group;
        mode_t mode;
    };
    Owner root() const { return {0, 0, closed_mode}; }

    bool fail(const std::string& name) {
        error_ = errno_message(name.empty() ? layout_.repository : layout_.repository / printable_line(name),
                               errno);
        return false;
    }

    bool fail_with(const std::string& error) {
        error_ = error;
        return false;
    }

    void tell(const std::string& line) {
        if (told_.size() < max_told) {
            told_.push_back(line);
        } else {
            ++untold_;
        }
    }

    bool open_top() {
        if (::mkdir(layout_.repository.c_str(), 0700) == 0) {
            tell(layout_.repository.string() + ": made");
        } else if (errno != EEXIST) {
            return fail({});
        }
        top_ = Fd(::open(layout_.repository.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!top_) return fail({});
        if (!list(top_.get()).empty() && (!stat_at(top_.get(), "HEAD") || !stat_at(top_.get(), "objects")))
            return fail_with(layout_.repository.string() + ": is neither empty nor a bare repository");
        bool changed = false;
        if (!give(top_.get(), root(), {}, changed)) return false;
        if (changed) tell(layout_.repository.string() + ": belongs to root, and nobody else writes there");
        return true;
    }

    bool give(int fd, const Owner& owner, const std::string& path, bool& changed) {
        struct stat status{};
        if (::fstat(fd, &status) != 0) return fail(path);
        if (status.st_uid == owner.user && status.st_gid == owner.group &&
            (status.st_mode & 07777U) == owner.mode) {
            return true;
        }
        changed = true;
        return (::fchown(fd, owner.user, owner.group) == 0 && ::fchmod(fd, owner.mode) == 0) || fail(path);
    }

    /// Moves what an operator left into the top directory, under a name that git does not read, and removes
    /// others' access.
    bool set_aside(int directory, const std::string& name, const std::string& path, const std::string& why) {
        std::string flat = path;
        std::replace(flat.begin(), flat.end(), '/', '.');
        for (int attempt = 1; attempt < 1000; ++attempt) {
            const std::string other = fmt::format("{}{}{}", flat.substr(0, 200), aside,
                                                  attempt == 1 ? "" : fmt::format(".{}", attempt));
            if (::renameat2(directory, name.c_str(), top_.get(), other.c_str(), RENAME_NOREPLACE) == 0) {
                if (const Fd moved = open_directory(top_.get(), other)) {
                    if (::fchown(moved.get(), 0, 0) != 0 || ::fchmod(moved.get(), 0700) != 0)
                        return fail(other);
                }
                aside_ = other;
                tell(fmt::format("{}: {}; it is {} now", printable_line(path), why, printable_line(other)));
                return true;
            }
            if (errno == ENOENT) return true;
            if (errno != EEXIST) break;
        }
        return fail(path);
    }

    /// A directory of the layout with its required owner; anything else in its place is set aside.
    Fd tend(int parent, const std::string& name, const std::string& path, const Owner& owner, bool& changed) {
        const auto status = stat_at(parent, name);
        if (status && !S_ISDIR(status->st_mode) && !set_aside(parent, name, path, "was no directory"))
            return {};
        if (::mkdirat(parent, name.c_str(), 0700) != 0 && errno != EEXIST) {
            fail(path);
            return {};
        }
        Fd directory = open_directory(parent, name);
        if (!directory) fail(path);
        if (directory && !give(directory.get(), owner, path, changed)) return {};
        return directory;
    }

    bool clear_top() {
        constexpr std::array<std::string_view, 6> tended{"HEAD",    "config", "hooks",
                                                         "objects", "refs",   "packed-refs"};
        for (const std::string& name : list(top_.get())) {
            const bool known = std::find(tended.begin(), tended.end(), name) != tended.end();
            if (known || name.find(aside) != std::string::npos || is_roots(top_.get(), name)) continue;
            if (!set_aside(top_.get(), name, name, "was not root's")) return false;
        }
        return adopt_packed_references();
    }

    /// In a cloned repository, branches may be nowhere else.
    bool adopt_packed_references() {
        const std::string name = "packed-refs";
        if (!stat_at(top_.get(), name) || is_roots(top_.get(), name)) return true;
        std::string text;
        const Fd file = open_file(top_.get(), name);
        struct stat status{};
        if (file && ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode)) {
            auto read = read_descriptor(file.get(), name, max_packed_bytes);
            if (!read) return fail_with(read.error());
            text = fit_references(*read);
        }
        return set_aside(top_.get(), name, name, "was not root's") &&
               (text.empty() || place_file(top_.get(), name, text, 0644));
    }

    // -- references
    // ------------------------------------------------------------------------------------------------

    bool tend_references() {
        bool changed = false;
        const Fd refs = tend(top_.get(), "refs", "refs", root(), changed);
        if (!refs) return false;
        for (const char* const name : {"heads", "tags"}) {
            const std::string path = std::string("refs/") + name;
            const Fd directory =
                tend(refs.get(), name, path, {layout_.reader, layout_.group, references_mode}, changed);
            if (!directory || !check_references(directory.get(), path, 0)) return false;
        }
        if (changed) tell("refs: the group moves branches and tags, and nothing else");
        for (const std::string& name : list(refs.get())) {
            if (name == "heads" || name == "tags" || name == "followed" || is_roots(refs.get(), name))
                continue;
            if (!set_aside(refs.get(), name, "refs/" + name, "is neither a branch nor a tag")) return false;
        }
        return place_file(refs.get(), "followed", "ref: refs/heads/" + layout_.branch + "\n", 0644, "refs/");
    }

    bool check_references(int directory, const std::string& path, int depth) {
        for (const std::string& name : list(directory)) {
            const std::string child = path + "/" + name;
            const auto status = stat_at(directory, name);
            if (!status) continue;
            if (S_ISREG(status->st_mode) && status->st_nlink == 1 && status->st_size <= max_reference_bytes) {
                if (!make_readable(directory, name, child, 0644)) return false;
                continue;
            }
            const Fd inner = S_ISDIR(status->st_mode) && depth < max_depth && child != followed()
                                 ? open_directory(directory, name)
                                 : Fd();
            if (inner ? !check_references(inner.get(), child, depth + 1)
                      : !set_aside(directory, name, child, "was no reference")) {
                return false;
            }
        }
        return true;
    }

    std::string followed() const { return "refs/heads/" + layout_.branch; }

    // -- objects
    // ---------------------------------------------------------------------------------------------------

    bool tend_objects() {
        bool changed = false;
        const Fd objects = tend(top_.get(), "objects", "objects", {0, layout_.group, objects_mode}, changed);
        if (!objects) return false;
        if (!clear_objects(objects.get()) || !place_file(objects.get(), "HEAD", "", 0444, "objects/"))
            return false;
        const Fd info = tend(objects.get(), "info", "objects/info", root(), changed);
        if (!info) return false;
        for (const std::string& name : list(info.get())) {
            if (is_roots(info.get(), name)) continue;
            if (!set_aside(info.get(), name, "objects/info/" + name, "was not root's")) return false;
        }
        for (unsigned i = 0; i < 256; ++i) {
            const std::string name = fmt::format("{:02x}", i);
            const std::string path = "objects/" + name;
            const Fd directory =
                tend(objects.get(), name, path, {layout_.reader, layout_.group, objects_mode}, changed);
            if (!directory || !check_objects(directory.get(), path)) return false;
        }
        if (changed) tell("objects: the group adds objects, and removes none that others made");
        return true;
    }

    /// Besides its own directories there may be quarantines of pushes, and files that libgit2 is writing.
    bool clear_objects(int objects) {
        for (const std::string& name : list(objects)) {
            if (is_hex_pair(name) || name == "pack" || name == "info" || name == "HEAD") continue;
            const auto status = stat_at(objects, name);
            const bool under_way = status && (S_ISDIR(status->st_mode) || S_ISREG(status->st_mode)) &&
                                   (name.starts_with("tmp_obj") || name.starts_with("incoming-"));
            if (!under_way && !set_aside(objects, name, "objects/" + name, "is no directory of objects"))
                return false;
        }
        return true;
    }

    bool check_objects(int directory, const std::string& path) {
        for (const std::string& name : list(directory)) {
            const std::string child = path + "/" + name;
            const auto status = stat_at(directory, name);
            if (!status) continue;
            const bool fits = S_ISREG(status->st_mode) && status->st_nlink == 1;
            // Still being written: it gets its mode when it gets its name.
            if (fits && name.starts_with("tmp_obj")) continue;
            if (fits ? !make_readable(directory, name, child, 0444)
                     : !set_aside(directory, name, child, "was no object")) {
                return false;
            }
        }
        return true;
    }

    bool make_readable(int directory, const std::string& name, const std::string& path, mode_t mode) {
        const Fd file = open_file(directory, name);
        struct stat status{};
        if (!file && errno == ENOENT) return true;
        if (!file || ::fstat(file.get(), &status) != 0) return fail(path);
        if ((status.st_mode & 0444U) == 0444U || !S_ISREG(status.st_mode) || status.st_nlink != 1)
            return true;
        if (::fchmod(file.get(), mode) != 0) return fail(path);
        tell(printable_line(path) + ": everybody may read it again");
        return true;
    }

    /// Packs that others created become loose objects: the owner of a pack can truncate it while it is
    /// mapped, and their index would be trusted. Git itself unpacks them, as user left4me.
    bool tend_packs() {
        const Fd objects = open_directory(top_.get(), "objects");
        if (!objects) return fail("objects");
        const auto status = stat_at(objects.get(), "pack");
        bool changed = false;
        bool ours = status && S_ISDIR(status->st_mode);
        if (ours) {
            const Fd pack = tend(objects.get(), "pack", "objects/pack", root(), changed);
            if (!pack) return false;
            ours = is_roots(objects.get(), "pack");
        }
        Fd others;
        if (status && !ours) {
            if (!set_aside(objects.get(), "pack", "objects/pack", "had packs that root did not own"))
                return false;
            others = open_directory(top_.get(), aside_);
        }
        const Fd pack = tend(objects.get(), "pack", "objects/pack", root(), changed);
        if (!pack) return false;
        if (!others) return true;
        for (const std::string& name : list(others.get())) {
            if (name.ends_with(".pack")) unpack(others.get(), name);
        }
        return true;
    }

    void unpack(int directory, const std::string& name) {
        const Fd pack = open_file(directory, name);
        struct stat status{};
        if (!pack || ::fstat(pack.get(), &status) != 0 || !S_ISREG(status.st_mode)) return;
        const auto ended =
            run_child({"/usr/bin/setpriv", fmt::format("--reuid={}", layout_.reader),
                       fmt::format("--regid={}", layout_.group), "--clear-groups", "--no-new-privs",
                       "/usr/bin/git", "-C", layout_.repository.string(), "unpack-objects", "-q"},
                      pack, Fd(), unpack_timeout);
        const bool done = ended && ended->code == 0;
        const std::string why = done ? "" : ended ? ended->output : ended.error();
        tell(printable_line(name) +
             (done ? ": its objects are in the repository" : ": git cannot unpack it: " + why));
    }

    // -- root's files
    // ----------------------------------------------------------------------------------------------

    bool has_text(int directory, const std::string& name, const std::string& text) const {
        const Fd file = open_file(directory, name);
        const auto found =
            file ? read_descriptor(file.get(), name, text.size() + 1) : std::unexpected(std::string());
        return found && *found == text;
    }

    bool place_file(int directory, const std::string& name, const std::string& text, mode_t mode,
                    const std::string& prefix = {}) {
        if (is_roots(directory, name) && has_text(directory, name, text)) return true;
        const std::string beside = name + ".left4me";
        (void)::unlinkat(directory, beside.c_str(), 0);  // what a killed run left
        const Fd file(
            ::openat(directory, beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
        const auto size = static_cast<ssize_t>(text.size());
        if (const auto there = stat_at(directory, name); there && S_ISDIR(there->st_mode)) {
            if (!set_aside(directory, name, prefix + name, "was a directory")) return false;
        }
        if (!file || ::write(file.get(), text.data(), text.size()) != size ||
            ::fchown(file.get(), 0, 0) != 0 || ::fchmod(file.get(), mode) != 0 || ::fsync(file.get()) != 0 ||
            ::renameat(directory, beside.c_str(), directory, name.c_str()) != 0) {
            return fail(prefix + name);
        }
        tell(prefix + name + ": written");
        return true;
    }

    bool configure() {
        const std::string name = "config";
        if (stat_at(top_.get(), name) && !is_roots(top_.get(), name) &&
            !set_aside(top_.get(), name, name, "was not root's")) {
            return false;
        }
        if (!stat_at(top_.get(), name) && !place_file(top_.get(), name, "", 0644)) return false;
        const std::filesystem::path path = layout_.repository / name;
        bool changed = false;
        const auto note = [&](const std::expected<bool, std::string>& written) {
            if (!written) return fail_with(written.error());
            changed = changed || *written;
            return true;
        };
        for (const Setting& setting : required) {
            if (!note(set_value(path, setting.name, setting.value))) return false;
        }
        for (const Setting& setting : defaults) {
            if (!note(set_default(path, setting.name, setting.value))) return false;
        }
        if (!note(add_value(path, "transfer.hideRefs", "refs/followed"))) return false;
        if (changed) tell("config: has what this layout needs");
        const std::string repository = layout_.repository.string();
        const auto added = add_value(layout_.git_configuration, "safe.directory", repository);
        if (!added) return fail_with(added.error());
        if (*added) {
            tell(fmt::format("{}: safe.directory has {}, or git would refuse a repository of another user's",
                             layout_.git_configuration.string(), repository));
        }
        return true;
    }

    bool make_hooks() {
        const auto status = stat_at(top_.get(), "hooks");
        const bool roots =
            status && S_ISDIR(status->st_mode) && status->st_uid == 0 && (status->st_mode & 022U) == 0;
        if (status && !roots && !set_aside(top_.get(), "hooks", "hooks", "was not root's")) return false;
        bool changed = false;
        const Fd hooks = tend(top_.get(), "hooks", "hooks", root(), changed);
        return hooks && link_hook(hooks.get(), "pre-receive") && link_hook(hooks.get(), "post-receive");
    }

    bool link_hook(int hooks, const std::string& name) {
        const std::string target = (layout_.hooks / name).string();
        std::array<char, 4096> text{};
        const ssize_t length = ::readlinkat(hooks, name.c_str(), text.data(), text.size());
        if (length >= 0 && std::string(text.data(), static_cast<std::size_t>(length)) == target) return true;
        if (stat_at(hooks, name) && length < 0 && !set_aside(hooks, name, "hooks/" + name, "was not ours"))
            return false;
        (void)::unlinkat(hooks, name.c_str(), 0);  // a link to the location in an older release
        if (::symlinkat(target.c_str(), hooks, name.c_str()) != 0) return fail("hooks/" + name);
        tell(fmt::format("hooks/{}: leads to {}", name, target));
        return true;
    }

    const Layout& layout_;
    Fd top_;
    std::vector<std::string> told_;
    std::size_t untold_ = 0;
    std::string aside_;  ///< what set_aside() created last
    std::string error_;
};

}  // namespace

std::expected<std::vector<std::string>, std::string> lay_out(const Layout& layout) {
    use_library();
    ::umask(0022);  // libgit2 recreates a configuration file when it writes to it
    return Builder(layout).run();
}

bool is_open_to_others(const std::filesystem::path& repository) {
    struct stat status{};
    return ::stat(repository.c_str(), &status) == 0 && (status.st_mode & 022U) != 0;
}

}  // namespace left4me::git
