#include "backup/unpack.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "adapters/fd.hpp"
#include "adapters/path_names.hpp"
#include "adapters/store/files.hpp"
#include "backup/entry.hpp"
#include "backup/read_backup.hpp"
#include "builder/confined_reader.hpp"
#include "specs/text.hpp"

namespace left4me::backup {

namespace {

using Done = std::expected<void, std::string>;
using builder::Message;

/// What stays free on a file system.
constexpr std::uint64_t reserve = std::uint64_t{256} << 20U;
constexpr std::uint64_t between_looks = std::uint64_t{16} << 20U;

/// Whom entries may belong to.
class Owners {
  public:
    explicit Owners(std::string others) : others_(std::move(others)) {}
    uid_t user(const std::string& name) const { return find(users_, name); }
    gid_t group(const std::string& name) const { return find(groups_, name); }

    Done look_up() {
        for (const std::string& name :
             {others_, std::string("root"), std::string("left4me"), std::string("left4me-server")}) {
            const passwd* const user = ::getpwnam(name.c_str());
            if (user != nullptr) users_.emplace(name, user->pw_uid);
            const ::group* const group = ::getgrnam(name.c_str());
            if (group != nullptr) groups_.emplace(name, group->gr_gid);
        }
        if (users_.contains(others_) && groups_.contains(others_)) return {};
        return std::unexpected(
            fmt::format("user {} does not exist on this host; run systemd-sysusers", others_));
    }

  private:
    unsigned find(const std::map<std::string, unsigned>& known, const std::string& name) const {
        const auto found = known.find(name);
        return found == known.end() ? known.at(others_) : found->second;
    }

    std::string others_;
    std::map<std::string, unsigned> users_;
    std::map<std::string, unsigned> groups_;
};

class Unpacker {
  public:
    Unpacker(const Destinations& destinations, const std::string& others)
        : destinations_(destinations), owners_(others) {}

    Done run(int archive) {
        if (auto done = owners_.look_up(); !done) return done;
        for (const auto& [section, path] : destinations_) {
            Fd root(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
            if (!root) return store::io_error(path);
            roots_.emplace(section, std::move(root));
        }
        auto reader = builder::ConfinedReader::start({.files = {archive},
                                                      .read = [](int pipe) { read_backup(0, pipe); },
                                                      .what = "the backup",
                                                      .less_memory = "use one that l4d2ctl backup made"});
        if (!reader) return std::unexpected(reader.error().message);
        Message message;
        while (true) {
            if (const auto got = reader->next(message); !got) return std::unexpected(got.error().message);
            if (message.kind == Message::Kind::End) return finish();
            if (auto done = take(message); !done) return done;
        }
    }

  private:
    Done take(const Message& message) {
        switch (message.kind) {
            case Message::Kind::Row:
                return begin(message);
            case Message::Kind::Data:
                return data(message.text);
            case Message::Kind::EndOfFile:
                return end_file();
            case Message::Kind::Failed:
                return std::unexpected("it cannot be read: " + printable_line(message.text));
            default:
                return std::unexpected("the process that read the backup sent nonsense: it is hostile");
        }
    }

    std::unexpected<std::string> refuse(const std::string& why) const {
        return std::unexpected(fmt::format("{} {}: it was not made by l4d2ctl, or was changed since",
                                           in_quotes(entry_.path), why));
    }
    std::unexpected<std::string> failed() const { return store::io_error(entry_.path); }

    Done begin(const Message& message) {
        if (open_) return std::unexpected("the process that read the backup sent nonsense: it is hostile");
        auto entry = from_row(builder::fields_of(message));
        if (!entry) return std::unexpected("it has an entry that no backup has");
        entry_ = *std::move(entry);
        if (sums_.entries() >= max_entries)
            return std::unexpected(fmt::format("it has more than {} entries", max_entries));
        if (verified_) return refuse("comes after the sums");
        if (const std::string why = why_not_a_path(entry_.path); !why.empty()) return refuse(why);
        if (sums_.entries() == 0 && entry_.path != about_name)
            return std::unexpected("it is no backup of l4d2ctl");
        const unsigned never = entry_.type == Type::Directory ? S_ISUID : S_ISUID | S_ISGID | S_ISVTX;
        if ((entry_.mode & never) != 0) return refuse("has the setuid or setgid bit");
        for (const auto& [name, value] : entry_.attributes) {
            if (!is_kept_attribute(name)) return refuse("has the attribute " + in_quotes(name));
        }
        open_ = entry_.type == Type::File;
        small_.clear();
        if (entry_.path == sums_name) return open_ ? Done() : refuse("is no file");
        return create();
    }

    /// The directory that the entry is in, and its name there; nullopt: it is not wanted.
    std::expected<std::optional<std::pair<int, std::string>>, std::string> place() {
        const std::size_t slash = entry_.path.find('/');
        const bool about = entry_.path == about_name;
        const auto root = roots_.find(about ? "about" : entry_.path.substr(0, slash));
        if (root == roots_.end()) return std::nullopt;
        if (about) return std::pair(root->second.get(), std::string(about_name));
        // The directory of the section itself is there.
        if (slash == std::string::npos) return refuse("is no path within the backup");
        const std::string inside = entry_.path.substr(slash + 1);
        const std::size_t last = inside.rfind('/');
        if (last == std::string::npos) return std::pair(root->second.get(), inside);
        const std::string above = entry_.path.substr(0, slash + 1 + last);
        if (above != parent_path_) {
            if (auto entered = enter(root->second.get(), inside.substr(0, last)); !entered)
                return std::unexpected(entered.error());
            parent_path_ = above;
        }
        return std::pair(parent_.get(), inside.substr(last + 1));
    }

    /// Makes what is not there of a path. Nobody else writes there: what is no directory is an entry.
    Done enter(int root, std::string_view path) {
        Fd at;
        for (const std::string_view name : path_names(path)) {
            auto inside = store::make_directory(at ? at.get() : root, std::string(name), 0700);
            if (!inside) return refuse("needs a directory where there is none");
            at = *std::move(inside);
        }
        parent_ = std::move(at);
        return {};
    }

    Done create() {
        file_.reset();
        const auto where = place();
        if (!where) return std::unexpected(where.error());
        if (entry_.type != Type::File) sums_.add(entry_, "");
        if (!*where) return {};
        const auto& [parent, name] = **where;
        const char* const to = name.c_str();
        int made = 0;
        switch (entry_.type) {
            case Type::Directory:
                made = ::mkdirat(parent, to, 0700);
                break;
            case Type::File:
                file_ = Fd(::openat(parent, to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
                made = file_ ? 0 : -1;
                break;
            case Type::Link:
                made = ::symlinkat(entry_.target.c_str(), parent, to);
                break;
            case Type::Whiteout:
                made = ::mknodat(parent, to, S_IFCHR | entry_.mode, 0);
                break;
        }
        if (made != 0) return errno == EEXIST ? refuse("is there twice") : failed();
        if (::fchownat(parent, to, owners_.user(entry_.user), owners_.group(entry_.group),
                       AT_SYMLINK_NOFOLLOW) != 0)
            return failed();
        if (entry_.type == Type::Directory) {
            const Fd directory(::openat(parent, to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
            return directory ? describe(directory.get()) : failed();
        }
        // The content comes first: a write takes mode bits away, and gives a new time.
        return {};
    }

    Done describe(int file) const {
        for (const auto& [name, value] : entry_.attributes)
            if (::fsetxattr(file, name.c_str(), value.data(), value.size(), 0) != 0) return failed();
        if (::fchmod(file, entry_.mode) != 0) return failed();
        const std::array<timespec, 2> times{timespec{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
                                            timespec{.tv_sec = entry_.modified, .tv_nsec = 0}};
        return ::futimens(file, times.data()) == 0 ? Done() : failed();
    }

    Done data(std::string_view text) {
        if (!open_) return std::unexpected("the process that read the backup sent nonsense: it is hostile");
        if (entry_.path == sums_name) {
            // A line is at most a sum and a path; one longer than ours is not ours.
            if (small_.size() + text.size() > sums_.text_bytes()) return wrong_sums();
            small_ += text;
            return {};
        }
        if (entry_.path == about_name && (written_ += text.size()) > max_about_bytes)
            return refuse("is too long");
        digest_.add(text);
        if (!file_) return {};
        if (auto done = leave_room(text.size()); !done) return done;
        return store::write_all(file_.get(), text, entry_.path);
    }

    Done leave_room(std::size_t bytes) {
        since_look_ += bytes;
        if (since_look_ < between_looks) return {};
        since_look_ = 0;
        struct statvfs system{};
        if (::fstatvfs(file_.get(), &system) != 0) return failed();
        if (std::uint64_t{system.f_bavail} * system.f_frsize > reserve) return {};
        return std::unexpected(fmt::format(
            "unpacking it would fill the disk: less than {} MiB would be left; make room and try again",
            reserve >> 20U));
    }

    Done end_file() {
        if (!open_) return std::unexpected("the process that read the backup sent nonsense: it is hostile");
        open_ = false;
        if (entry_.path == sums_name) {
            verified_ = small_ == sums_.text();
            return verified_ ? Done() : wrong_sums();
        }
        sums_.add(entry_, digest_.hex(Digest::all_digits));
        return file_ ? describe(file_.get()) : Done();
    }

    static std::unexpected<std::string> wrong_sums() {
        return std::unexpected<std::string>(
            "its content does not have the SHA-256 sums that it says: it is damaged or was changed");
    }

    Done finish() {
        if (!verified_) return std::unexpected("it ends too early: it is not whole");
        for (const auto& [section, root] : roots_)
            if (::syncfs(root.get()) != 0) return store::io_error(section);
        return {};
    }

    const Destinations& destinations_;
    std::map<std::string, Fd> roots_;
    Owners owners_;
    Sums sums_;
    Entry entry_;
    bool open_ = false;  ///< the content of entry_ is to come
    bool verified_ = false;
    Fd file_;
    Digest digest_;
    std::string small_;  ///< of the sums
    std::uint64_t written_ = 0;
    std::uint64_t since_look_ = 0;
    Fd parent_;
    std::string parent_path_;
};

}  // namespace

std::expected<void, std::string> unpack(int archive, const Destinations& destinations,
                                        const std::string& others) {
    return Unpacker(destinations, others).run(archive);
}

}  // namespace left4me::backup
