#include "backup/pack.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <system_error>

#include "adapters/directory_stream.hpp"
#include "adapters/fd.hpp"
#include "adapters/store/files.hpp"
#include "backup/entry.hpp"
#include "specs/text.hpp"

namespace left4me::backup {

namespace {

using Done = std::expected<void, std::string>;

constexpr std::size_t chunk = std::size_t{1} << 17U;

struct Free {
    void operator()(archive* writer) const { (void)archive_write_free(writer); }
    void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};

/// The names of users and groups; empty: a number without a name.
class Names {
  public:
    const std::string& user(uid_t id) {
        return look_up(users_, id, [id](std::vector<char>& room) -> std::string {
            passwd entry{};
            passwd* found = nullptr;
            (void)::getpwuid_r(id, &entry, room.data(), room.size(), &found);
            return found == nullptr ? "" : found->pw_name;
        });
    }
    const std::string& group(gid_t id) {
        return look_up(groups_, id, [id](std::vector<char>& room) -> std::string {
            ::group entry{};
            ::group* found = nullptr;
            (void)::getgrgid_r(id, &entry, room.data(), room.size(), &found);
            return found == nullptr ? "" : found->gr_name;
        });
    }

  private:
    template <typename Find>
    static const std::string& look_up(std::map<unsigned, std::string>& known, unsigned id, const Find& find) {
        const auto [place, fresh] = known.try_emplace(id);
        if (fresh) {
            std::vector<char> room(65536);
            place->second = find(room);
        }
        return place->second;
    }

    std::map<unsigned, std::string> users_;
    std::map<unsigned, std::string> groups_;
};

std::map<std::string, std::string> read_attributes(int file) {
    std::map<std::string, std::string> kept;
    std::string names(max_attribute_bytes, '\0');
    const ssize_t length = ::flistxattr(file, names.data(), names.size());
    names.resize(static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
    for (std::size_t at = 0; at < names.size();) {
        const std::string name = names.c_str() + at;
        at += name.size() + 1;
        if (!is_kept_attribute(name)) continue;
        std::string value(max_attribute_bytes, '\0');
        const ssize_t size = ::fgetxattr(file, name.c_str(), value.data(), value.size());
        if (size < 0) continue;
        value.resize(static_cast<std::size_t>(size));
        kept[name] = std::move(value);
    }
    return kept;
}

class Packer {
  public:
    Packer(const Packing& packing, int out) : packing_(packing), writer_(archive_write_new()), out_(out) {}

    Done run() {
        if (!writer_ || archive_write_set_format_pax(writer_.get()) != ARCHIVE_OK ||
            archive_write_add_filter_zstd(writer_.get()) != ARCHIVE_OK ||
            archive_write_set_options(writer_.get(), "hdrcharset=UTF-8") != ARCHIVE_OK ||
            // Zeros after zstd's end would be damage.
            archive_write_set_bytes_in_last_block(writer_.get(), 1) != ARCHIVE_OK ||
            archive_write_open_fd(writer_.get(), out_) != ARCHIVE_OK)
            return failed();
        if (auto done = text(about_name, packing_.about); !done) return done;
        bool servers = false;
        for (const Root& root : packing_.roots) {
            if (!servers && root.path.starts_with(servers_section)) {
                servers = true;
                packing_.rest_is_servers();
            }
            if (auto done = pack_root(root); !done) return done;
        }
        if (!servers) packing_.rest_is_servers();
        if (auto done = text(sums_name, sums_.text()); !done) return done;
        if (archive_write_close(writer_.get()) != ARCHIVE_OK) return failed();
        return {};
    }

  private:
    std::unexpected<std::string> failed() const {
        const char* const why = writer_ ? archive_error_string(writer_.get()) : nullptr;
        return std::unexpected(fmt::format("writing the backup: {}", why == nullptr ? "no memory" : why));
    }

    void leave_out(const std::string& path, std::string_view why) const {
        packing_.left_out(fmt::format("{} {}", in_quotes(path), why));
    }
    void leave_out(const std::string& path, int error) const {
        if (error == ENOENT) return;  // removed meanwhile
        leave_out(path, "cannot be read: " + std::generic_category().message(error));
    }

    Done pack_root(const Root& root) {
        const Fd parent(::open(root.from.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!parent) {
            leave_out(root.path, errno);
            return {};
        }
        return pack_name(parent.get(), root.from.filename(), root.path);
    }

    Done pack_name(int parent, const std::string& name, const std::string& path) {
        if (const std::string why = why_not_a_path(path); !why.empty()) {
            leave_out(path, why);
            return {};
        }
        struct stat status{};
        if (::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
            leave_out(path, errno);
            return {};
        }
        if (S_ISDIR(status.st_mode)) return pack_directory(parent, name, path);
        if (S_ISREG(status.st_mode)) return pack_file(parent, name, path);
        if (S_ISLNK(status.st_mode)) return pack_link(parent, name, path, status);
        if (S_ISCHR(status.st_mode) && status.st_rdev == 0)
            return add(described(path, Type::Whiteout, status), "");
        leave_out(path, "is a FIFO, a socket or a device");
        return {};
    }

    Entry described(const std::string& path, Type type, const struct stat& status) {
        return {.type = type,
                .path = path,
                .mode = status.st_mode & (type == Type::Directory ? 03777U : 0777U),
                .user = names_.user(status.st_uid),
                .group = names_.group(status.st_gid),
                .modified = status.st_mtim.tv_sec,
                .target = {},
                .attributes = {}};
    }

    Done pack_directory(int parent, const std::string& name, const std::string& path) {
        const DirectoryStream stream = open_stream(parent, name, RESOLVE_NO_XDEV);
        struct stat status{};
        if (!stream || ::fstat(::dirfd(stream.get()), &status) != 0) {
            leave_out(path, errno);
            return {};
        }
        Entry entry = described(path, Type::Directory, status);
        entry.attributes = read_attributes(::dirfd(stream.get()));
        if (auto done = add(entry, ""); !done) return done;
        std::vector<std::string> names = store::list(::dirfd(stream.get()));
        std::sort(names.begin(), names.end());
        for (const std::string& inner : names)
            if (auto done = pack_name(::dirfd(stream.get()), inner, path + "/" + inner); !done) return done;
        return {};
    }

    Done pack_link(int parent, const std::string& name, const std::string& path, const struct stat& status) {
        std::array<char, 4096> target{};
        const ssize_t length = ::readlinkat(parent, name.c_str(), target.data(), target.size());
        Entry entry = described(path, Type::Link, status);
        entry.mode = 0777;
        entry.target.assign(target.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
        if (length > 0 && find_invalid_utf8(entry.target) == std::string_view::npos) return add(entry, "");
        leave_out(path, "is a link whose target is not UTF-8");
        return {};
    }

    Done pack_file(int parent, const std::string& name, const std::string& path) {
        const Fd file = store::open_beneath(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        struct stat status{};
        if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
            leave_out(path, file ? ENOENT : errno);
            return {};
        }
        Entry entry = described(path, Type::File, status);
        entry.attributes = read_attributes(file.get());
        if (auto done = header(entry, status.st_size); !done) return done;
        Digest digest;
        std::uint64_t at = 0;
        const auto size = static_cast<std::uint64_t>(status.st_size);
        std::string buffer(chunk, '\0');
        while (at < size) {
            auto read = store::read_at(file.get(), buffer, at, path);
            if (!read) return std::unexpected(read.error());
            const std::string zeros(read->empty() ? std::min<std::uint64_t>(chunk, size - at) : 0, '\0');
            // It has become shorter: what is missing is zero, as after ftruncate(2).
            std::string_view data = read->empty() ? std::string_view(zeros) : *read;
            data = data.substr(0, size - at);
            digest.add(data);
            if (auto done = write(data); !done) return done;
            at += data.size();
        }
        sums_.add(entry, digest.hex(Digest::all_digits));
        return {};
    }

    Done text(const char* path, const std::string& content) {
        const Entry entry{
            .path = path, .mode = 0600, .user = "root", .group = "root", .target = {}, .attributes = {}};
        if (auto done = header(entry, static_cast<off_t>(content.size())); !done) return done;
        sums_.add(entry, Digest().add(content).hex(Digest::all_digits));
        return write(content);
    }

    Done add(const Entry& entry, const std::string& content) {
        sums_.add(entry, content);
        return header(entry, 0);
    }

    Done header(const Entry& entry, off_t size) {
        if (sums_.entries() >= max_entries)
            return std::unexpected(fmt::format("there are more than {} files", max_entries));
        const std::unique_ptr<archive_entry, Free> to(archive_entry_new());
        if (!to) return failed();
        archive_entry_set_pathname(to.get(), entry.path.c_str());
        archive_entry_set_perm(to.get(), entry.mode);
        archive_entry_set_uname(to.get(), entry.user.c_str());
        archive_entry_set_gname(to.get(), entry.group.c_str());
        archive_entry_set_mtime(to.get(), entry.modified, 0);
        archive_entry_set_size(to.get(), size);
        switch (entry.type) {
            case Type::Directory:
                archive_entry_set_filetype(to.get(), AE_IFDIR);
                break;
            case Type::File:
                archive_entry_set_filetype(to.get(), AE_IFREG);
                break;
            case Type::Link:
                archive_entry_set_filetype(to.get(), AE_IFLNK);
                archive_entry_set_symlink(to.get(), entry.target.c_str());
                break;
            case Type::Whiteout:
                archive_entry_set_filetype(to.get(), AE_IFCHR);
                archive_entry_set_rdev(to.get(), 0);
                break;
        }
        for (const auto& [name, value] : entry.attributes)
            archive_entry_xattr_add_entry(to.get(), name.c_str(), value.data(), value.size());
        return archive_write_header(writer_.get(), to.get()) == ARCHIVE_OK ? Done() : failed();
    }

    Done write(std::string_view data) {
        const la_ssize_t written = archive_write_data(writer_.get(), data.data(), data.size());
        return written == static_cast<la_ssize_t>(data.size()) ? Done() : failed();
    }

    const Packing& packing_;
    std::unique_ptr<archive, Free> writer_;
    int out_;
    Sums sums_;
    Names names_;
};

}  // namespace

std::expected<void, std::string> pack(const Packing& packing, int out) { return Packer(packing, out).run(); }

}  // namespace left4me::backup
