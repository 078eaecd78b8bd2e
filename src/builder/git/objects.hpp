#pragma once

#include <algorithm>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "builder/git/hash.hpp"
#include "builder/git/inflate.hpp"

namespace left4me::builder {

/// The largest object that is read: a file, or a part of the way to it. Three of them fit into the unit's
/// memory: what a delta is applied to, the delta, and what results.
inline constexpr std::uint64_t max_object_bytes = 128U << 20U;

struct Object {
    ObjectType type = ObjectType::Blob;
    std::shared_ptr<const std::string> content;
    std::uint64_t packed = 0;  ///< how many bytes of a file it takes up; 0: unknown
};

enum class NoObject {
    Missing,
    Damaged,
    TooLarge,  ///< than max_object_bytes
    TooMuch,   ///< work: a hostile pack repeats itself
};

/// How many bytes may still be unpacked, in all.
struct Work {
    std::uint64_t left = 0;

    bool take(std::uint64_t bytes) {
        left -= std::min(left, bytes);
        return left > 0;
    }
};

/// One pack of git's, gitformat-pack(5).
class Pack {
  public:
    /// A pack whose objects the file `index`, a pack index of version 2, lists.
    Pack(int file, std::uint64_t bytes, int index, std::uint64_t index_bytes, Work& work);
    /// A pack without an index. scan() lists its objects.
    Pack(int file, std::uint64_t bytes, Work& work);

    /// Unpacks every object once. At most `most` objects.
    std::expected<void, NoObject> scan(std::uint64_t most);
    std::expected<Object, NoObject> read(const ObjectId& id);

  private:
    struct Header {
        unsigned type = 0;
        std::uint64_t size = 0;
        std::uint64_t data = 0;  ///< where the stream begins
        std::uint64_t base = 0;  ///< of a delta
    };
    std::optional<std::uint64_t> find(const ObjectId& id);
    std::optional<std::uint64_t> find_in_index(const ObjectId& id);
    std::expected<Header, NoObject> header(std::uint64_t at);
    std::expected<std::string, NoObject> unpack(const Header& header);
    std::expected<Object, NoObject> read_at(std::uint64_t at);
    void remember(std::uint64_t at, const Object& object);

    FileWindow file_;
    FileWindow index_;
    Work& work_;
    Inflater inflater_;
    std::uint64_t end_ = 0;                    ///< of the last stream that was unpacked
    std::map<ObjectId, std::uint64_t> by_id_;  ///< what scan() found
    std::map<std::uint64_t, Object> recent_;   ///< by position
    std::vector<std::uint64_t> order_;         ///< of recent_
    std::size_t oldest_ = 0;                   ///< in order_
    std::uint64_t recent_bytes_ = 0;
};

/// An object in a file of its own, which was copied behind others.
struct LooseObject {
    std::uint64_t at = 0;
    std::uint64_t bytes = 0;
};

/// All objects of a repository. Each that is returned has the content that its id says.
class Objects {
  public:
    explicit Objects(std::uint64_t work) : work_{work} {}
    Objects(const Objects&) = delete;
    Objects& operator=(const Objects&) = delete;

    Pack& add_pack(int file, std::uint64_t bytes);
    void add_pack(int file, std::uint64_t bytes, int index, std::uint64_t index_bytes);
    void add_loose(int file, std::uint64_t bytes, std::map<ObjectId, LooseObject> objects);

    std::expected<Object, NoObject> read(const ObjectId& id);

  private:
    std::expected<Object, NoObject> find(const ObjectId& id);
    std::expected<Object, NoObject> read_loose(const LooseObject& place);

    Work work_;
    std::vector<std::unique_ptr<Pack>> packs_;
    std::unique_ptr<FileWindow> loose_file_;
    std::map<ObjectId, LooseObject> loose_;
    Inflater inflater_;
};

}  // namespace left4me::builder
