#include "privileged/overlay/scrub.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <memory>
#include <string_view>

#include "adapters/directory_stream.hpp"
#include "adapters/remove_tree.hpp"
#include "privileged/overlay/kernel.hpp"
#include "specs/writable.hpp"

namespace left4me::overlay {

namespace {

constexpr std::size_t max_names = 20;
constexpr const char* sets_name = "removed";
constexpr const char* doomed_name = ".doomed";
constexpr const char* report_name = "set-aside";
// A start spends at most this long on removing old sets; the next start continues.
constexpr std::chrono::seconds removal_time{1};

/// A game chooses its file names, which may contain terminal codes.
std::string printable(std::string_view text) {
    std::string shown(text);
    std::replace_if(shown.begin(), shown.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return shown;
}

/// A game may keep files and directories. A whiteout hides a layer's file that the game may write. A FIFO
/// would block the game that opens it, and a link leads elsewhere than the pattern says.
bool may_be_kept(int directory, const dirent& entry) {
    if (entry.d_type == DT_REG || entry.d_type == DT_DIR) return true;
    struct stat status{};
    if (::fstatat(directory, entry.d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) return false;
    const bool whiteout = S_ISCHR(status.st_mode) && status.st_rdev == 0;
    return S_ISREG(status.st_mode) || S_ISDIR(status.st_mode) || whiteout;
}

/// overlayfs(5): an opaque directory hides the layers beneath it. A redirect or metacopy attribute makes the
/// kernel refuse the lookup, because we do not enable these features.
void make_transparent(int directory) {
    constexpr std::array<const char*, 3> marks = {"trusted.overlay.opaque", "trusted.overlay.redirect",
                                                  "trusted.overlay.metacopy"};
    for (const char* mark : marks) (void)::fremovexattr(directory, mark);
}

/// The game owns the directories that it created, and may have removed its own permission to read what is
/// rendered into them.
Result<> make_passable(int directory, Owner owner) {
    struct stat status{};
    if (::fstat(directory, &status) != 0) return system_failure("upper");
    if (status.st_uid != owner.user || (status.st_mode & S_IRWXU) == S_IRWXU) return {};
    if (::fchmod(directory, (status.st_mode & 07777U) | S_IRWXU) != 0) return system_failure("upper");
    return {};
}

Result<Fd> make_and_open(int parent, const std::string& name) {
    if (::mkdirat(parent, name.c_str(), 0700) != 0 && errno != EEXIST) return system_failure(printable(name));
    Fd directory(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!directory) return system_failure(printable(name));
    return directory;
}

/// The numbers of the existing sets, the oldest first.
std::vector<std::size_t> numbers_in(int sets) {
    std::vector<std::size_t> numbers;
    const DirectoryStream directory = open_stream(sets, ".", RESOLVE_NO_XDEV);
    while (const dirent* entry = directory ? ::readdir(directory.get()) : nullptr) {
        const std::string_view name = entry->d_name;
        std::size_t number = 0;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
        if (error == std::errc() && end == name.data() + name.size()) numbers.push_back(number);
    }
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

/// A directory of the upper directory that is a parent of a kept path.
struct Level {
    Level* above = nullptr;
    std::string name;
    DIR* directory = nullptr;
    Fd aside;  ///< its counterpart in the set, once something was moved there

    int fd() const { return ::dirfd(directory); }
    std::string path() const { return above == nullptr ? "" : above->path() + name + "/"; }
};

class Scrubber {
  public:
    Scrubber(const Runtime& runtime, Owner owner, bool only_look)
        : runtime_(runtime), owner_(owner), only_look_(only_look) {}

    Result<> run(const Writable& writable) {
        const DirectoryStream upper = open_stream(runtime_.directory.get(), "upper", RESOLVE_NO_XDEV);
        if (!upper) return system_failure("upper");
        Level top{.above = nullptr, .name = {}, .directory = upper.get(), .aside = {}};
        return clean(top, writable);
    }

    const SetAside& found() const { return found_; }

  private:
    Result<> clean(Level& level, const Writable& writable) {
        if (!only_look_) {
            make_transparent(level.fd());
            if (auto done = make_passable(level.fd(), owner_); !done) return done;
        }
        while (true) {
            const std::size_t before = found_.count;
            if (auto done = clean_once(level, writable); !done) return done;
            // Moving an entry may have made readdir skip others: read again.
            if (only_look_ || found_.count == before) return {};
            ::rewinddir(level.directory);
        }
    }

    Result<> clean_once(Level& level, const Writable& writable) {
        while (!only_look_ || found_.count == 0) {
            errno = 0;
            const dirent* entry = ::readdir(level.directory);
            if (entry == nullptr) return errno == 0 ? Result<>() : system_failure("reading upper");
            const std::string name = entry->d_name;
            if (name == "." || name == "..") continue;
            const WritableMatch match = writable.match(name);
            if (match.on_the_way) {
                const DirectoryStream inner = open_stream(level.fd(), name, RESOLVE_NO_XDEV);
                if (inner) {
                    Level below{.above = &level, .name = name, .directory = inner.get(), .aside = {}};
                    if (auto done = clean(below, writable.enter(name)); !done) return done;
                    continue;
                }
                if (errno != ENOTDIR && errno != ELOOP) return system_failure(path_of(level, name));
            } else if (match.kept && may_be_kept(level.fd(), *entry)) {
                continue;
            }
            if (auto done = move(level, name); !done) return done;
        }
        return {};
    }

    static std::string path_of(const Level& level, const std::string& name) {
        return printable(level.path() + name);
    }

    Result<> move(Level& level, const std::string& name) {
        ++found_.count;
        if (only_look_) return {};
        if (found_.names.size() < max_names) found_.names.push_back(path_of(level, name));
        if (auto made = make_counterpart(level); !made) return made;
        if (::renameat2(level.fd(), name.c_str(), level.aside.get(), name.c_str(), RENAME_NOREPLACE) != 0)
            return system_failure("setting aside " + path_of(level, name));
        return {};
    }

    Result<> make_counterpart(Level& level) {
        if (level.aside) return {};
        if (level.above == nullptr) return make_set(level);
        if (auto made = make_counterpart(*level.above); !made) return made;
        auto directory = make_and_open(level.above->aside.get(), level.name);
        if (!directory) return std::unexpected(directory.error());
        level.aside = std::move(*directory);
        return {};
    }

    Result<> make_set(Level& top) {
        const auto sets = make_and_open(runtime_.directory.get(), sets_name);
        if (!sets) return std::unexpected(sets.error());
        std::vector<std::size_t> numbers = numbers_in(sets->get());
        found_.set = numbers.empty() ? 1 : numbers.back() + 1;
        auto set = make_and_open(sets->get(), std::to_string(found_.set));
        if (!set) return std::unexpected(set.error());
        top.aside = std::move(*set);
        if (numbers.size() < max_sets) return {};
        const auto doomed = make_and_open(runtime_.directory.get(), doomed_name);
        if (!doomed) return std::unexpected(doomed.error());
        for (std::size_t i = 0; i + max_sets <= numbers.size(); ++i) {
            const std::string old = std::to_string(numbers[i]);
            if (::renameat2(sets->get(), old.c_str(), doomed->get(), old.c_str(), RENAME_NOREPLACE) != 0)
                return system_failure("removing an old set");
        }
        return {};
    }

    const Runtime& runtime_;
    Owner owner_;
    bool only_look_;
    SetAside found_;
};

/// Atomically, so that nobody reads half of it: the set's number, the number of entries, and the first of
/// them.
Result<> write_report(const Runtime& runtime, const SetAside& found, Owner owner) {
    std::string text = fmt::format("{}\n{}\n", found.set, found.count);
    for (const std::string& name : found.names) text += name + "\n";
    constexpr const char* fresh = ".set-aside";
    const int at = runtime.directory.get();
    (void)::unlinkat(at, fresh, 0);
    const Fd file(::openat(at, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640));
    if (!file || ::fchown(file.get(), 0, owner.group) != 0 ||
        ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        ::renameat(at, fresh, at, report_name) != 0) {
        return system_failure(report_name);
    }
    return {};
}

}  // namespace

Result<SetAside> set_aside(const Runtime& runtime, const std::vector<std::string>& writable, Owner owner) {
    Scrubber scrubber(runtime, owner, false);
    auto done = scrubber.run(Writable(writable));
    const SetAside& found = scrubber.found();
    if (found.count > 0) {
        if (auto written = write_report(runtime, found, owner); done && !written) done = written;
        // A later start, a reset or a purge removes the rest: not a reason to fail this start.
        (void)remove_tree(runtime.directory.get(), doomed_name,
                          std::chrono::steady_clock::now() + removal_time);
    }
    if (!done) return std::unexpected(done.error());
    return found;
}

Result<bool> is_clean(const Runtime& runtime, const std::vector<std::string>& writable, Owner owner) {
    Scrubber scrubber(runtime, owner, true);
    if (auto done = scrubber.run(Writable(writable)); !done) return std::unexpected(done.error());
    return scrubber.found().count == 0;
}

}  // namespace left4me::overlay
