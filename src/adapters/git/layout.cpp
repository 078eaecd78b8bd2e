#include "adapters/git/layout.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <optional>

#include "adapters/fd.hpp"
#include "adapters/files.hpp"
#include "adapters/git/safe_directory.hpp"

namespace left4me::git {

namespace {

constexpr mode_t top_mode = 03775;
constexpr mode_t store_mode = 02775;
constexpr const char* aside = ".before-left4me";

/// Whoever pushes finds the limits before left4me does; nobody's gc runs in the middle of it, for packed
/// references would belong to whoever packed them.
constexpr const char* configuration =
    "[core]\n"
    "\trepositoryformatversion = 0\n"
    "\tfilemode = true\n"
    "\tbare = true\n"
    "\tsharedRepository = group\n"
    "[receive]\n"
    "\tfsckObjects = true\n"
    "\tmaxInputSize = 64m\n"
    "\tautogc = false\n"
    "[gc]\n"
    "\tauto = 0\n"
    "\tpackRefs = false\n";

class Builder {
  public:
    explicit Builder(const Layout& layout) : layout_(layout) {}

    std::expected<std::vector<std::string>, std::string> run() {
        if (!open_top() || !make_stores() || !place_file("HEAD", head(), true) ||
            !place_file("config", configuration, false) || !make_hooks()) {
            return std::unexpected(error_);
        }
        const std::string path = layout_.repository.string();
        auto added = add_safe_directory(layout_.git_configuration, path);
        if (!added) return std::unexpected(added.error());
        if (*added) {
            told_.push_back(
                fmt::format("{}: safe.directory has {}, or git would refuse a repository of another user's",
                            layout_.git_configuration.string(), path));
        }
        return told_;
    }

  private:
    bool fail(const std::string& name) {
        error_ = errno_message(name.empty() ? layout_.repository : layout_.repository / name, errno);
        return false;
    }

    std::string head() const { return "ref: refs/heads/" + layout_.branch + "\n"; }

    std::optional<struct stat> look(int directory, const char* name) const {
        struct stat status{};
        if (::fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
        return status;
    }

    bool open_top() {
        if (::mkdir(layout_.repository.c_str(), 0700) == 0) {
            told_.push_back(layout_.repository.string() + ": made");
        } else if (errno != EEXIST) {
            return fail({});
        }
        top_ = Fd(::open(layout_.repository.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!top_) return fail({});
        if (!is_empty() && (!look(top_.get(), "HEAD") || !look(top_.get(), "objects"))) {
            error_ = layout_.repository.string() + ": is neither empty nor a bare repository";
            return false;
        }
        struct stat status{};
        if (::fstat(top_.get(), &status) != 0) return fail({});
        if (status.st_uid == 0 && status.st_gid == layout_.group && (status.st_mode & 07777U) == top_mode)
            return true;
        if (::fchown(top_.get(), 0, layout_.group) != 0 || ::fchmod(top_.get(), top_mode) != 0)
            return fail({});
        told_.push_back(layout_.repository.string() + ": belongs to root, and its group may push");
        return true;
    }

    bool is_empty() const {
        const int copy = ::openat(top_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(copy), &::closedir);
        if (!entries) return false;
        std::size_t count = 0;
        while (::readdir(entries.get()) != nullptr) ++count;
        return count <= 2;
    }

    bool make_stores() {
        for (const char* const name :
             {"objects", "objects/info", "objects/pack", "refs", "refs/heads", "refs/tags"}) {
            if (::mkdirat(top_.get(), name, 0700) != 0 && errno != EEXIST) return fail(name);
        }
        bool changed = false;
        for (const char* const name : {"objects", "refs"}) {
            if (!share(top_.get(), name, name, changed)) return false;
        }
        if (changed) told_.push_back("objects, refs: the group may write there");
        return true;
    }

    /// This directory and those in it become the group's. Files stay as they are: git never changes one.
    bool share(int parent, const char* name, const std::string& path, bool& changed) {
        const Fd directory(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!directory) return fail(path);
        struct stat status{};
        if (::fstat(directory.get(), &status) != 0) return fail(path);
        const bool ours = status.st_uid == 0;  // made above, or by root in person
        const bool fits =
            !ours && status.st_gid == layout_.group && (status.st_mode & store_mode) == store_mode;
        if (!fits) {
            const uid_t owner = ours ? layout_.reader : status.st_uid;
            if (::fchown(directory.get(), owner, layout_.group) != 0 ||
                ::fchmod(directory.get(), store_mode) != 0) {
                return fail(path);
            }
            changed = true;
        }
        const int copy = ::openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(copy), &::closedir);
        if (!entries) return fail(path);
        while (const dirent* const entry = ::readdir(entries.get())) {
            const std::string child = entry->d_name;
            const auto kind = look(directory.get(), child.c_str());
            if (child == "." || child == ".." || !kind || !S_ISDIR(kind->st_mode)) continue;
            if (!share(directory.get(), child.c_str(), path + "/" + child, changed)) return false;
        }
        return true;
    }

    /// Puts what was there, and is not root's, out of the way.
    bool set_aside(int directory, const std::string& name) {
        const std::string other = name + aside;
        if (::renameat(directory, name.c_str(), directory, other.c_str()) != 0) return fail(name);
        told_.push_back(fmt::format("{}: was not ours; it is {} now", name, other));
        return true;
    }

    bool is_roots_file(const std::string& name) const {
        const auto status = look(top_.get(), name.c_str());
        return status && S_ISREG(status->st_mode) && status->st_uid == 0 && status->st_nlink == 1;
    }

    bool has_text(const std::string& name, const std::string& text) const {
        const Fd file(::openat(top_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
        const auto found = file ? read_descriptor(file.get(), name, 4096) : std::unexpected(std::string());
        return found && *found == text;
    }

    /// A file of root's that is there stays as it is, unless it must have `text`.
    bool place_file(const std::string& name, const std::string& text, bool exactly) {
        const bool there = look(top_.get(), name.c_str()).has_value();
        if (there && is_roots_file(name) && (!exactly || has_text(name, text))) return true;
        if (there && !is_roots_file(name) && !exactly && !set_aside(top_.get(), name)) return false;
        const std::string beside = name + ".left4me";
        (void)::unlinkat(top_.get(), beside.c_str(), 0);  // what a killed run left
        const Fd file(
            ::openat(top_.get(), beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
        const auto size = static_cast<ssize_t>(text.size());
        if (!file || ::write(file.get(), text.data(), text.size()) != size ||
            ::fchmod(file.get(), 0644) != 0 || ::fchown(file.get(), 0, 0) != 0 || ::fsync(file.get()) != 0 ||
            ::renameat(top_.get(), beside.c_str(), top_.get(), name.c_str()) != 0) {
            return fail(name);
        }
        told_.push_back(name + ": written");
        return true;
    }

    bool make_hooks() {
        const auto status = look(top_.get(), "hooks");
        const bool roots =
            status && S_ISDIR(status->st_mode) && status->st_uid == 0 && (status->st_mode & 022U) == 0;
        if (status && !roots && !set_aside(top_.get(), "hooks")) return false;
        if (!roots && ::mkdirat(top_.get(), "hooks", 0755) != 0) return fail("hooks");
        const Fd hooks(::openat(top_.get(), "hooks", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!hooks) return fail("hooks");
        if (!roots && (::fchown(hooks.get(), 0, 0) != 0 || ::fchmod(hooks.get(), 0755) != 0))
            return fail("hooks");
        return link_hook(hooks.get(), "pre-receive") && link_hook(hooks.get(), "post-receive");
    }

    bool link_hook(int hooks, const std::string& name) {
        const std::string target = (layout_.hooks / name).string();
        std::array<char, 4096> text{};
        const ssize_t length = ::readlinkat(hooks, name.c_str(), text.data(), text.size());
        if (length >= 0 && std::string(text.data(), static_cast<std::size_t>(length)) == target) return true;
        if (look(hooks, name.c_str()) && length < 0 && !set_aside(hooks, name)) return false;
        (void)::unlinkat(hooks, name.c_str(), 0);  // a link to where an older release had it
        if (::symlinkat(target.c_str(), hooks, name.c_str()) != 0) return fail("hooks/" + name);
        told_.push_back(fmt::format("hooks/{}: leads to {}", name, target));
        return true;
    }

    const Layout& layout_;
    Fd top_;
    std::vector<std::string> told_;
    std::string error_;
};

}  // namespace

std::expected<std::vector<std::string>, std::string> lay_out(const Layout& layout) {
    return Builder(layout).run();
}

}  // namespace left4me::git
