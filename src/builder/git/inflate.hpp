#pragma once

#include <zlib.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace left4me::builder {

/// Reads a file that may be anything, also while somebody changes it.
class FileWindow {
  public:
    FileWindow(int file, std::uint64_t bytes) : file_(file), bytes_(bytes) {}

    /// Some bytes from position `at` on; empty at the end, and if it cannot be read.
    std::string_view from(std::uint64_t at);
    /// Exactly `count` bytes, at most window_bytes; nullopt: there are fewer.
    std::optional<std::string_view> exactly(std::uint64_t at, std::size_t count);
    std::uint64_t bytes() const { return bytes_; }

    static constexpr std::size_t window_bytes = 1U << 16U;

  private:
    bool load(std::uint64_t at);

    int file_;
    std::uint64_t bytes_;
    std::string window_;
    std::uint64_t begin_ = 0;
};

/// Inflates zlib streams, one after the other.
class Inflater {
  public:
    Inflater();
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;
    ~Inflater() { (void)inflateEnd(&stream_); }

    /// The stream that begins at `at`.
    void begin(FileWindow& file, std::uint64_t at);
    /// Fills the buffer; false: the stream is damaged or shorter.
    bool fill(std::string& buffer);
    /// The stream ends here: where the file goes on behind it. nullopt: it is damaged or longer.
    std::optional<std::uint64_t> end();

  private:
    /// Inflates into `bytes` at `data`; returns how many there were.
    std::size_t inflate_some(char* data, std::size_t bytes);

    z_stream stream_{};
    FileWindow* file_ = nullptr;
    std::uint64_t at_ = 0;
    bool ended_ = false;
    bool damaged_ = false;
};

}  // namespace left4me::builder
