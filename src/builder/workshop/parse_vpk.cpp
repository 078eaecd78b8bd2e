#include "builder/workshop/parse_vpk.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/store/files.hpp"
#include "builder/messages.hpp"

namespace left4me::builder {

namespace {

using Checked = std::expected<void, std::string>;

constexpr std::uint32_t magic = 0x55aa1234;
constexpr std::size_t header_1_bytes = 12;
constexpr std::size_t header_2_bytes = 28;
/// Of names, checksums and positions; the largest add-ons have some MB.
constexpr std::uint64_t max_tree_bytes = 64U << 20U;
/// The index of the archive of files whose data are in this one, behind the tree.
constexpr std::uint16_t in_this_file = 0x7fff;
constexpr std::uint16_t entry_end = 0xffff;

std::unexpected<std::string> wrong(std::string why) { return std::unexpected(std::move(why)); }

/// Little-endian numbers and texts, one behind the other.
class Bytes {
  public:
    explicit Bytes(std::string_view bytes) : rest_(bytes) {}

    bool has(std::size_t count) const { return rest_.size() >= count; }
    bool is_empty() const { return rest_.empty(); }
    void skip(std::size_t count) { rest_.remove_prefix(count); }
    /// Of `count` bytes, which must be there.
    std::uint32_t number(std::size_t count) {
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < count; ++i)
            value |= static_cast<std::uint32_t>(static_cast<unsigned char>(rest_[i])) << (8U * i);
        skip(count);
        return value;
    }
    /// Up to a NUL; nullopt if there is none.
    std::optional<std::string_view> text() {
        const std::size_t end = rest_.find('\0');
        if (end == std::string_view::npos) return std::nullopt;
        const std::string_view text = rest_.substr(0, end);
        skip(end + 1);
        return text;
    }

  private:
    std::string_view rest_;
};

/// Shorter at the end of the file.
std::string read(int file, std::uint64_t at, std::size_t bytes) {
    std::string text(bytes, '\0');
    const auto got = store::read_at(file, text, at, "the VPK");
    text.resize(got ? got->size() : 0);
    return text;
}

/// The files in the tree: extension, directory and name, nested, each list ended by an empty text.
class Tree {
  public:
    /// `data`: how many bytes are behind the tree.
    Tree(std::string_view tree, std::uint64_t data) : bytes_(tree), data_(data) {}

    Checked check() {
        while (true) {
            const auto extension = bytes_.text();
            if (!extension) return damaged();
            if (extension->empty()) break;
            if (auto checked = directories(); !checked) return checked;
        }
        if (files_ == 0) return wrong("it is a VPK without any file");
        return {};
    }

  private:
    static Checked damaged() { return wrong("it is a VPK whose list of files is damaged"); }

    Checked directories() {
        while (true) {
            const auto directory = bytes_.text();
            if (!directory) return damaged();
            if (directory->empty()) return {};
            if (auto checked = names(); !checked) return checked;
        }
    }

    Checked names() {
        while (true) {
            const auto name = bytes_.text();
            if (!name) return damaged();
            if (name->empty()) return {};
            if (auto checked = entry(); !checked) return checked;
        }
    }

    Checked entry() {
        constexpr std::size_t entry_bytes = 18;
        if (!bytes_.has(entry_bytes)) return damaged();
        (void)bytes_.number(4);  // its CRC
        const std::uint32_t preload = bytes_.number(2);
        const std::uint32_t archive = bytes_.number(2);
        const std::uint64_t offset = bytes_.number(4);
        const std::uint64_t length = bytes_.number(4);
        if (bytes_.number(2) != entry_end || !bytes_.has(preload)) return damaged();
        bytes_.skip(preload);
        ++files_;
        if (length == 0) return {};
        if (archive != in_this_file)
            return wrong("it is a VPK whose content is in other files, NAME_000.vpk");
        if (offset + length > data_)
            return wrong("it is a VPK that was cut off: a file in it ends behind its end");
        return {};
    }

    Bytes bytes_;
    std::uint64_t data_;
    std::uint64_t files_ = 0;
};

Checked check(int file) {
    struct stat status{};
    if (::fstat(file, &status) != 0) return wrong("it cannot be read");
    const auto size = static_cast<std::uint64_t>(status.st_size);
    const std::string text = read(file, 0, header_2_bytes);
    Bytes header(text);
    if (text.size() < header_1_bytes || header.number(4) != magic) {
        std::string begin;
        for (const char c : text.substr(0, 4)) begin += fmt::format("{:02x}", static_cast<unsigned char>(c));
        return wrong(fmt::format("it is no VPK: it begins with {}", begin.empty() ? "nothing" : begin));
    }
    const std::uint32_t version = header.number(4);
    const std::uint64_t tree = header.number(4);
    if (version != 1 && version != 2)
        return wrong(fmt::format("it is a VPK of version {}; 1 and 2 are known", version));
    const std::uint64_t header_bytes = version == 1 ? header_1_bytes : header_2_bytes;
    if (header_bytes + tree > size) return wrong("it is a VPK that was cut off");
    if (tree > max_tree_bytes)
        return wrong(fmt::format("it is a VPK with a list of files of {} bytes", tree));
    std::uint64_t data = size - header_bytes - tree;
    if (version == 2) {
        const std::uint64_t said = header.number(4);
        std::uint64_t others = 0;
        for (int section = 0; section < 3; ++section) others += header.number(4);
        if (said + others > data) return wrong("it is a VPK that was cut off");
        data = said;
    }
    const std::string list = read(file, header_bytes, static_cast<std::size_t>(tree));
    if (list.size() != tree) return wrong("it is a VPK that was cut off");
    return Tree(list, data).check();
}

}  // namespace

void parse_vpk(int file, int pipe) {
    const auto checked = check(file);
    if (checked) {
        (void)send_message(pipe, {.kind = Message::Kind::End, .text = {}, .more = {}});
    } else {
        (void)send_message(pipe, {.kind = Message::Kind::Failed, .text = checked.error(), .more = {}});
    }
}

}  // namespace left4me::builder
