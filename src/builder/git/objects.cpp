#include "builder/git/objects.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

namespace left4me::builder {

namespace {

constexpr std::size_t pack_header = 12;
constexpr std::size_t trailer = ObjectId::size;
constexpr unsigned offset_delta = 6;
constexpr unsigned reference_delta = 7;
/// git makes at most 50, and 4095 if it is told to.
constexpr std::size_t max_chain = 4096;
/// Bases of deltas are often needed again.
constexpr std::uint64_t max_recent_bytes = 48U << 20U;
constexpr std::uint64_t max_recent_object = 8U << 20U;
/// An object costs time, however few bytes it has.
constexpr std::uint64_t least_work = 64;

constexpr std::size_t index_header = 8;
constexpr std::size_t fanout = 256 * std::size_t{4};

unsigned byte(std::string_view text, std::size_t at) { return static_cast<unsigned char>(text[at]); }

std::uint64_t big_endian(std::string_view text) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < text.size(); ++i) value = (value << 8U) | byte(text, i);
    return value;
}

using Failed = std::unexpected<NoObject>;

/// The instructions of a delta, gitformat-pack(5).
class Delta {
  public:
    explicit Delta(std::string_view delta) : rest_(delta) {}

    std::expected<std::string, NoObject> apply(std::string_view base) {
        const auto from = size();
        const auto to = size();
        if (!from || !to || *from != base.size()) return Failed(NoObject::Damaged);
        if (*to > max_object_bytes) return Failed(NoObject::TooLarge);
        std::string result;
        result.reserve(*to);
        while (!rest_.empty()) {
            const auto part = next(base);
            if (!part || part->empty() || part->size() > *to - result.size())
                return Failed(NoObject::Damaged);
            result += *part;
        }
        if (result.size() != *to) return Failed(NoObject::Damaged);
        return result;
    }

  private:
    std::optional<unsigned> take() {
        if (rest_.empty()) return std::nullopt;
        const unsigned value = byte(rest_, 0);
        rest_.remove_prefix(1);
        return value;
    }

    /// Seven bits a byte, the lowest first.
    std::optional<std::uint64_t> size() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 63; shift += 7) {
            const auto part = take();
            if (!part) return std::nullopt;
            value |= static_cast<std::uint64_t>(*part & 0x7fU) << shift;
            if ((*part & 0x80U) == 0) return value;
        }
        return std::nullopt;
    }

    /// The bytes of a number that the instruction says are there, the lowest first.
    std::optional<std::uint64_t> sparse_number(unsigned flags, unsigned count) {
        std::uint64_t value = 0;
        for (unsigned i = 0; i < count; ++i) {
            if ((flags & (1U << i)) == 0) continue;
            const auto part = take();
            if (!part) return std::nullopt;
            value |= static_cast<std::uint64_t>(*part) << (8 * i);
        }
        return value;
    }

    /// What the next instruction adds.
    std::optional<std::string_view> next(std::string_view base) {
        const unsigned instruction = *take();
        if ((instruction & 0x80U) == 0) {
            if (instruction > rest_.size()) return std::nullopt;
            const std::string_view added = rest_.substr(0, instruction);
            rest_.remove_prefix(instruction);
            return added;
        }
        const auto at = sparse_number(instruction & 0xfU, 4);
        const auto given = at ? sparse_number((instruction >> 4U) & 0x7U, 3) : std::nullopt;
        if (!given) return std::nullopt;
        const std::uint64_t count = *given == 0 ? 0x10000 : *given;
        if (*at > base.size() || count > base.size() - *at) return std::nullopt;
        return base.substr(*at, count);
    }

    std::string_view rest_;
};

std::optional<ObjectType> type_of(std::string_view word) {
    if (word == "commit") return ObjectType::Commit;
    if (word == "tree") return ObjectType::Tree;
    if (word == "blob") return ObjectType::Blob;
    if (word == "tag") return ObjectType::Tag;
    return std::nullopt;
}

std::shared_ptr<const std::string> shared(std::string content) {
    return std::make_shared<const std::string>(std::move(content));
}

}  // namespace

Pack::Pack(int file, std::uint64_t bytes, int index, std::uint64_t index_bytes, Work& work)
    : file_(file, bytes), index_(index, index_bytes), work_(work) {}

Pack::Pack(int file, std::uint64_t bytes, Work& work) : Pack(file, bytes, -1, 0, work) {}

std::expected<void, NoObject> Pack::scan(std::uint64_t most) {
    const auto head = file_.exactly(0, pack_header);
    if (!head || !head->starts_with("PACK") || big_endian(head->substr(4, 4)) != 2)
        return Failed(NoObject::Damaged);
    const std::uint64_t count = big_endian(head->substr(8, 4));
    if (count > most) return Failed(NoObject::TooMuch);
    std::uint64_t at = pack_header;
    for (std::uint64_t i = 0; i < count; ++i) {
        // Deltas come after what they are applied to, in a pack that is made to be sent.
        const auto object = read_at(at);
        if (!object) return Failed(object.error());
        const auto id = id_of(object->type, *object->content);
        if (!id) return Failed(NoObject::Damaged);
        by_id_.emplace(*id, at);
        at += object->packed;
    }
    if (at + trailer != file_.bytes()) return Failed(NoObject::Damaged);
    return {};
}

std::optional<std::uint64_t> Pack::find(const ObjectId& id) {
    if (index_.bytes() > 0) return find_in_index(id);
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::uint64_t> Pack::find_in_index(const ObjectId& id) {
    constexpr std::string_view magic("\377tOc\0\0\0\2", index_header);
    const auto word = [this](std::uint64_t at, std::size_t size = 4) -> std::optional<std::uint64_t> {
        const auto bytes = index_.exactly(at, size);
        return bytes ? std::optional(big_endian(*bytes)) : std::nullopt;
    };
    const auto head = index_.exactly(0, index_header);
    if (!head || *head != magic) return std::nullopt;
    const std::uint64_t first = id.bytes.front();
    const auto begin = first == 0 ? 0 : word(index_header + 4 * (first - 1));
    const auto end = word(index_header + 4 * first);
    const auto count = word(index_header + 4 * 255);
    if (!begin || !end || !count || *begin > *end || *end > *count) return std::nullopt;
    const std::uint64_t ids = index_header + fanout;
    std::uint64_t low = *begin;
    std::uint64_t high = *end;
    while (low < high) {
        const std::uint64_t middle = low + (high - low) / 2;
        const auto bytes = index_.exactly(ids + middle * ObjectId::size, ObjectId::size);
        if (!bytes) return std::nullopt;
        const ObjectId there = object_id_of(*bytes);
        if (there < id) {
            low = middle + 1;
        } else if (id < there) {
            high = middle;
        } else {
            const std::uint64_t offsets = ids + *count * (ObjectId::size + 4);
            const auto at = word(offsets + 4 * middle);
            constexpr std::uint64_t large = 1ULL << 31U;
            if (!at || *at < large) return at;
            return word(offsets + 4 * *count + 8 * (*at - large), 8);
        }
    }
    return std::nullopt;
}

std::expected<Pack::Header, NoObject> Pack::header(std::uint64_t at) {
    Header header;
    std::uint64_t next = at;
    const auto take = [&]() -> std::optional<unsigned> {
        const auto one = file_.exactly(next, 1);
        ++next;
        return one ? std::optional(byte(*one, 0)) : std::nullopt;
    };
    auto part = take();
    if (!part) return Failed(NoObject::Damaged);
    header.type = (*part >> 4U) & 0x7U;
    header.size = *part & 0xfU;
    for (unsigned shift = 4; (*part & 0x80U) != 0; shift += 7) {
        part = take();
        if (!part || shift > 53) return Failed(NoObject::Damaged);
        header.size |= static_cast<std::uint64_t>(*part & 0x7fU) << shift;
    }
    if (header.type == offset_delta) {
        part = take();
        if (!part) return Failed(NoObject::Damaged);
        std::uint64_t distance = *part & 0x7fU;
        while ((*part & 0x80U) != 0) {
            part = take();
            if (!part || distance > file_.bytes()) return Failed(NoObject::Damaged);
            distance = ((distance + 1) << 7U) | (*part & 0x7fU);
        }
        if (distance == 0 || distance > at) return Failed(NoObject::Damaged);
        header.base = at - distance;
    } else if (header.type == reference_delta) {
        const auto id = file_.exactly(next, ObjectId::size);
        if (!id) return Failed(NoObject::Damaged);
        next += ObjectId::size;
        const auto base = find(object_id_of(*id));
        if (!base || *base == at) return Failed(NoObject::Damaged);
        header.base = *base;
    } else if (header.type < 1 || header.type > 4) {
        return Failed(NoObject::Damaged);
    }
    header.data = next;
    return header;
}

std::expected<std::string, NoObject> Pack::unpack(const Header& header) {
    if (header.size > max_object_bytes) return Failed(NoObject::TooLarge);
    if (!work_.take(header.size + least_work)) return Failed(NoObject::TooMuch);
    std::string content(header.size, '\0');
    inflater_.begin(file_, header.data);
    if (!inflater_.fill(content)) return Failed(NoObject::Damaged);
    const auto end = inflater_.end();
    if (!end) return Failed(NoObject::Damaged);
    end_ = *end;
    return content;
}

std::expected<Object, NoObject> Pack::read_at(std::uint64_t at) {
    std::vector<std::string> deltas;
    std::uint64_t delta_bytes = 0;
    std::uint64_t packed = 0;
    Object object;
    for (std::uint64_t place = at; !object.content;) {
        if (const auto found = recent_.find(place); found != recent_.end()) {
            object = found->second;
            if (deltas.empty()) packed = object.packed;
            break;
        }
        const auto head = header(place);
        if (!head) return Failed(head.error());
        auto content = unpack(*head);
        if (!content) return Failed(content.error());
        if (packed == 0) packed = end_ - at;
        if (head->type == offset_delta || head->type == reference_delta) {
            delta_bytes += content->size();
            if (deltas.size() == max_chain) return Failed(NoObject::Damaged);
            if (delta_bytes > max_object_bytes) return Failed(NoObject::TooLarge);
            deltas.push_back(std::move(*content));
            place = head->base;
        } else {
            object.type = static_cast<ObjectType>(head->type);
            object.content = shared(std::move(*content));
            object.packed = end_ - place;
            remember(place, object);
        }
    }
    for (; !deltas.empty(); deltas.pop_back()) {
        auto result = Delta(deltas.back()).apply(*object.content);
        if (!result) return Failed(result.error());
        if (!work_.take(result->size())) return Failed(NoObject::TooMuch);
        object.content = shared(std::move(*result));
    }
    object.packed = packed;
    remember(at, object);
    return object;
}

void Pack::remember(std::uint64_t at, const Object& object) {
    const std::uint64_t bytes = object.content->size();
    if (bytes > max_recent_object || !recent_.emplace(at, object).second) return;
    recent_bytes_ += bytes + least_work;
    order_.push_back(at);
    while (recent_bytes_ > max_recent_bytes) {
        const auto oldest = recent_.find(order_[oldest_]);
        recent_bytes_ -= oldest->second.content->size() + least_work;
        recent_.erase(oldest);
        ++oldest_;
    }
    if (oldest_ > order_.size() / 2) {
        order_.erase(order_.begin(), order_.begin() + static_cast<std::ptrdiff_t>(oldest_));
        oldest_ = 0;
    }
}

std::expected<Object, NoObject> Pack::read(const ObjectId& id) {
    const auto at = find(id);
    if (!at) return Failed(NoObject::Missing);
    return read_at(*at);
}

Pack& Objects::add_pack(int file, std::uint64_t bytes) {
    return *packs_.emplace_back(std::make_unique<Pack>(file, bytes, work_));
}

void Objects::add_pack(int file, std::uint64_t bytes, int index, std::uint64_t index_bytes) {
    packs_.push_back(std::make_unique<Pack>(file, bytes, index, index_bytes, work_));
}

void Objects::add_loose(int file, std::uint64_t bytes, std::map<ObjectId, LooseObject> objects) {
    loose_file_ = std::make_unique<FileWindow>(file, bytes);
    loose_ = std::move(objects);
}

std::expected<Object, NoObject> Objects::read_loose(const LooseObject& place) {
    // `blob 123` and a NUL, then the content: at least this many bytes of every object are there.
    constexpr std::size_t shortest = std::string_view("tag 0").size() + 1;
    constexpr std::size_t longest = 32;
    inflater_.begin(*loose_file_, place.at);
    std::string head(shortest, '\0');
    if (!inflater_.fill(head)) return Failed(NoObject::Damaged);
    std::string more(1, '\0');
    while (head.back() != '\0') {
        if (head.size() == longest || !inflater_.fill(more)) return Failed(NoObject::Damaged);
        head += more;
    }
    head.pop_back();
    const std::size_t blank = head.find(' ');
    if (blank == std::string::npos) return Failed(NoObject::Damaged);
    const auto type = type_of(std::string_view(head).substr(0, blank));
    std::uint64_t size = 0;
    const char* const last = head.data() + head.size();
    const auto [end, error] = std::from_chars(head.data() + blank + 1, last, size);
    if (!type || error != std::errc() || end != last) return Failed(NoObject::Damaged);
    if (size > max_object_bytes) return Failed(NoObject::TooLarge);
    if (!work_.take(size + least_work)) return Failed(NoObject::TooMuch);
    std::string content(size, '\0');
    if (!inflater_.fill(content) || inflater_.end() != place.at + place.bytes)
        return Failed(NoObject::Damaged);
    return Object{*type, shared(std::move(content)), place.bytes};
}

std::expected<Object, NoObject> Objects::find(const ObjectId& id) {
    if (const auto loose = loose_.find(id); loose != loose_.end()) return read_loose(loose->second);
    for (const auto& pack : packs_) {
        auto object = pack->read(id);
        if (object || object.error() != NoObject::Missing) return object;
    }
    return Failed(NoObject::Missing);
}

std::expected<Object, NoObject> Objects::read(const ObjectId& id) {
    auto object = find(id);
    if (object && id_of(object->type, *object->content) != id) return Failed(NoObject::Damaged);
    return object;
}

}  // namespace left4me::builder
