#include "adapters/git/store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <git2/sys/odb_backend.h>
#include <git2/sys/repository.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#if __has_include(<git2/sys/errors.h>)  // 1.9 has moved git_error_set_str() there
#include <git2/sys/errors.h>
#endif

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "adapters/fd.hpp"

namespace left4me::git {

namespace {

/// The priority of libgit2's own stores.
constexpr int loose_priority = 1;
constexpr int packed_priority = 2;
/// We never need a larger object, packed or not.
constexpr std::size_t max_bytes = std::size_t{64} << 20U;
/// `commit 67108864` and the NUL after it.
constexpr std::size_t max_header = 32;

/// The store of loose objects. libgit2 lists and writes them. We read them, because the owner of an object
/// may replace its file at any time, also between a check and the read.
struct Checked {
    git_odb_backend backend{};  ///< first member: libgit2 passes its address
    git_odb_backend* inner = nullptr;
    std::string objects;
};

Checked& checked(git_odb_backend* backend) { return *reinterpret_cast<Checked*>(backend); }

struct Object {
    git_object_t type = GIT_OBJECT_INVALID;
    std::size_t size = 0;
    std::string bytes;
};

enum class Part { Header, Whole };

/// A loose object's file, inflated: `TYPE SIZE`, a NUL, and SIZE bytes.
class LooseFile {
  public:
    explicit LooseFile(Fd file) : file_(std::move(file)) { ready_ = inflateInit(&stream_) == Z_OK; }
    LooseFile(const LooseFile&) = delete;
    LooseFile& operator=(const LooseFile&) = delete;
    ~LooseFile() { inflateEnd(&stream_); }

    /// False: damaged, truncated, followed by something else, or too large.
    bool read(Object& object, Part part) {
        struct stat status{};
        if (!ready_ || ::fstat(file_.get(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
        std::string head(max_header, '\0');
        if (!inflate_into(head)) return false;
        const std::size_t body = head.find('\0');
        if (body == std::string::npos || !parse(head.substr(0, body), object)) return false;
        if (part == Part::Header) return true;
        if (object.size > max_bytes) return false;
        object.bytes = head.substr(body + 1);
        const std::size_t begun = object.bytes.size();
        if (begun > object.size) return false;
        // One byte more than expected: the end of the stream is only detected by reading past it.
        std::string rest(object.size - begun + 1, '\0');
        if (!inflate_into(rest) || !ended_ || rest.size() != object.size - begun) return false;
        if (stream_.total_in != static_cast<std::size_t>(status.st_size)) return false;
        object.bytes += rest;
        return true;
    }

  private:
    static bool parse(const std::string& header, Object& object) {
        const std::size_t space = header.find(' ');
        if (space == std::string::npos) return false;
        object.type = git_object_string2type(header.substr(0, space).c_str());
        const char* const end = header.data() + header.size();
        const auto parsed = std::from_chars(header.data() + space + 1, end, object.size);
        return object.type != GIT_OBJECT_INVALID && parsed.ec == std::errc() && parsed.ptr == end;
    }

    /// Fills `into`, or shrinks it to what is left of the stream.
    bool inflate_into(std::string& into) {
        stream_.next_out = reinterpret_cast<unsigned char*>(into.data());
        stream_.avail_out = static_cast<unsigned>(into.size());
        while (stream_.avail_out > 0 && !ended_) {
            if (stream_.avail_in == 0) {
                const ssize_t got = ::read(file_.get(), in_.data(), in_.size());
                if (got < 0 && errno == EINTR) continue;
                if (got <= 0) return false;
                stream_.next_in = in_.data();
                stream_.avail_in = static_cast<unsigned>(got);
            }
            const int state = inflate(&stream_, Z_NO_FLUSH);
            if (state != Z_OK && state != Z_STREAM_END) return false;
            ended_ = state == Z_STREAM_END;
        }
        into.resize(into.size() - stream_.avail_out);
        return true;
    }

    Fd file_;
    z_stream stream_{};
    std::array<unsigned char, 16384> in_{};
    bool ready_ = false;
    bool ended_ = false;
};

/// 0, GIT_ENOTFOUND, or an error that names the object. Never blocks and follows no link.
int read_loose(const Checked& store, const git_oid* id, Object& object, Part part) {
    const std::string digits = to_text(*id);
    const std::string path = fmt::format("{}/{}/{}", store.objects, digits.substr(0, 2), digits.substr(2));
    Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY));
    if (!file && errno == ENOENT) return GIT_ENOTFOUND;
    const bool closed = !file && errno == EACCES;
    if (file && LooseFile(std::move(file)).read(object, part)) return 0;
    git_error_set_str(GIT_ERROR_ODB,
                      fmt::format("object {} {}", digits,
                                  closed ? "may not be read" : "is damaged, truncated or larger than 64 MiB")
                          .c_str());
    return GIT_ERROR;
}

int on_read(void** bytes, std::size_t* size, git_object_t* type, git_odb_backend* backend,
            const git_oid* id) {
    Object object;
    if (const int bad = read_loose(checked(backend), id, object, Part::Whole)) return bad;
    // libgit2's own stores add a NUL after the bytes, and its parsers may rely on it.
    void* const copy = git_odb_backend_data_alloc(backend, object.size + 1);
    if (copy == nullptr) return GIT_ERROR;
    std::memcpy(copy, object.bytes.c_str(), object.size + 1);
    *bytes = copy;
    *size = object.size;
    *type = object.type;
    return 0;
}

int on_read_header(std::size_t* size, git_object_t* type, git_odb_backend* backend, const git_oid* id) {
    Object object;
    if (const int bad = read_loose(checked(backend), id, object, Part::Header)) return bad;
    *size = object.size;
    *type = object.type;
    return 0;
}

int on_exists_prefix(git_oid* found, git_odb_backend* backend, const git_oid* prefix, std::size_t digits) {
    git_odb_backend* const inner = checked(backend).inner;
    return inner->exists_prefix(found, inner, prefix, digits);
}

int on_read_prefix(git_oid* found, void** bytes, std::size_t* size, git_object_t* type,
                   git_odb_backend* backend, const git_oid* prefix, std::size_t digits) {
    if (const int missing = on_exists_prefix(found, backend, prefix, digits)) return missing;
    return on_read(bytes, size, type, backend, found);
}

int on_write(git_odb_backend* backend, const git_oid* id, const void* bytes, std::size_t size,
             git_object_t type) {
    git_odb_backend* const inner = checked(backend).inner;
    return inner->write(inner, id, bytes, size, type);
}

int on_exists(git_odb_backend* backend, const git_oid* id) {
    git_odb_backend* const inner = checked(backend).inner;
    return inner->exists(inner, id);
}

/// An object that is complete is not written again. Its time stays: nothing removes objects by age here, and
/// we must not touch another operator's file.
int on_freshen(git_odb_backend* backend, const git_oid* id) {
    Object object;
    return read_loose(checked(backend), id, object, Part::Whole);
}

void on_free(git_odb_backend* backend) {
    const std::unique_ptr<Checked> store(&checked(backend));
    store->inner->free(store->inner);
}

int add_loose(git_odb* odb, const std::filesystem::path& objects, int priority) {
    auto store = std::make_unique<Checked>();
    store->objects = objects.string();
    // On disk before the branch moves there.
    constexpr int do_fsync = 1;
    if (const int bad = git_odb_backend_loose(&store->inner, objects.c_str(), -1, do_fsync, 0, 0)) return bad;
    git_odb_init_backend(&store->backend, GIT_ODB_BACKEND_VERSION);
    store->backend.read = on_read;
    store->backend.read_prefix = on_read_prefix;
    store->backend.read_header = on_read_header;
    store->backend.write = on_write;
    store->backend.exists = on_exists;
    store->backend.exists_prefix = on_exists_prefix;
    store->backend.freshen = on_freshen;
    store->backend.free = on_free;
    const int result = git_odb_add_backend(odb, &store->backend, priority);
    if (result == 0) (void)store.release();  // owned by the list now, which frees it through on_free()
    return result;
}

int add_stores(git_odb* odb, const std::filesystem::path& objects, int below) {
    if (const int bad = add_loose(odb, objects, loose_priority - below)) return bad;
    git_odb_backend* packed = nullptr;
    if (const int bad = git_odb_backend_pack(&packed, objects.c_str())) return bad;
    return git_odb_add_backend(odb, packed, packed_priority - below);
}

}  // namespace

int use_checked_store(git_repository* repository, const std::filesystem::path& objects) {
    Owned<git_odb> store;
    if (const int bad = take(store, [](git_odb** out) { return git_odb_new(out); })) return bad;
    if (const int bad = add_stores(store.get(), objects, 0)) return bad;
    return git_repository_set_odb(repository, store.get());
}

int add_checked_store(git_odb* store, const std::filesystem::path& objects) {
    return add_stores(store, objects, 2);
}

}  // namespace left4me::git
