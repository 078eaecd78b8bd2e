#include "adapters/git/store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <git2/sys/odb_backend.h>
#include <git2/sys/repository.h>
#include <unistd.h>
#include <zlib.h>
#if __has_include(<git2/sys/errors.h>)  // 1.9 has moved git_error_set_str() there
#include <git2/sys/errors.h>
#endif

#include <array>
#include <cerrno>
#include <memory>
#include <string>

#include "adapters/fd.hpp"

namespace left4me::git {

namespace {

/// What libgit2's own stores have.
constexpr int loose_priority = 1;
constexpr int packed_priority = 2;
/// No object that we ever want is larger; sizes of manifests are asked for before they are read.
constexpr std::size_t most_bytes = std::size_t{128} << 20U;

/// Inflates a file to its end, keeping nothing.
bool inflates_to_the_end(int fd) {
    z_stream stream{};
    if (inflateInit(&stream) != Z_OK) return false;
    const std::unique_ptr<z_stream, int (*)(z_stream*)> ended(&stream, &inflateEnd);
    std::array<unsigned char, 16384> in;
    std::array<unsigned char, 65536> out;
    int state = Z_OK;
    while (state == Z_OK && stream.total_out <= most_bytes) {
        if (stream.avail_in == 0) {
            const ssize_t got = ::read(fd, in.data(), in.size());
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) return false;
            stream.next_in = in.data();
            stream.avail_in = static_cast<unsigned>(got);
        }
        stream.next_out = out.data();
        stream.avail_out = static_cast<unsigned>(out.size());
        state = inflate(&stream, Z_NO_FLUSH);
    }
    return state == Z_STREAM_END;
}

/// The store of loose objects, behind a look at the file.
struct Checked {
    git_odb_backend backend{};  ///< first: libgit2 hands us its address
    git_odb_backend* inner = nullptr;
    std::string objects;
};

Checked& checked(git_odb_backend* backend) { return *reinterpret_cast<Checked*>(backend); }

/// 0 as well for an object that is not there: the inner store says so.
int look(const Checked& store, const git_oid* id) {
    const std::string digits = to_text(*id);
    const std::string path = fmt::format("{}/{}/{}", store.objects, digits.substr(0, 2), digits.substr(2));
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file || inflates_to_the_end(file.get())) return 0;
    git_error_set_str(GIT_ERROR_ODB, fmt::format("object {} is damaged or cut short", digits).c_str());
    return GIT_ERROR;
}

int on_read(void** bytes, std::size_t* size, git_object_t* type, git_odb_backend* backend,
            const git_oid* id) {
    git_odb_backend* const inner = checked(backend).inner;
    if (const int bad = look(checked(backend), id)) return bad;
    return inner->read(bytes, size, type, inner, id);
}

int on_read_header(std::size_t* size, git_object_t* type, git_odb_backend* backend, const git_oid* id) {
    git_odb_backend* const inner = checked(backend).inner;
    return inner->read_header(size, type, inner, id);
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

int on_freshen(git_odb_backend* backend, const git_oid* id) {
    git_odb_backend* const inner = checked(backend).inner;
    return inner->freshen(inner, id);
}

void on_free(git_odb_backend* backend) {
    const std::unique_ptr<Checked> store(&checked(backend));
    store->inner->free(store->inner);
}

int add_loose(git_odb* odb, const std::filesystem::path& objects, int priority) {
    auto store = std::make_unique<Checked>();
    store->objects = objects.string();
    // Whole on disk before the branch moves there.
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
    if (result == 0) (void)store.release();  // the list's now, which ends it by on_free()
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
