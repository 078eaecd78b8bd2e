#include "builder/git/inflate.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>

namespace left4me::builder {

bool FileWindow::load(std::uint64_t at) {
    begin_ = at;
    window_.resize(window_bytes);
    std::size_t length = 0;
    while (length < window_.size() && at + length < bytes_) {
        const ssize_t got =
            ::pread(file_, window_.data() + length, window_.size() - length, static_cast<off_t>(at + length));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        length += static_cast<std::size_t>(got);
    }
    window_.resize(length);
    return length > 0;
}

std::string_view FileWindow::from(std::uint64_t at) {
    if (at >= bytes_) return {};
    const bool inside = at >= begin_ && at - begin_ < window_.size();
    if (!inside && !load(at)) return {};
    return std::string_view(window_).substr(at - begin_);
}

std::optional<std::string_view> FileWindow::exactly(std::uint64_t at, std::size_t count) {
    std::string_view found = from(at);
    if (found.size() < count) {
        if (at >= bytes_ || !load(at)) return std::nullopt;
        found = window_;
    }
    if (found.size() < count) return std::nullopt;
    return found.substr(0, count);
}

Inflater::Inflater() {
    if (inflateInit(&stream_) != Z_OK) throw std::bad_alloc();
}

void Inflater::begin(FileWindow& file, std::uint64_t at) {
    (void)inflateReset(&stream_);
    stream_.avail_in = 0;
    file_ = &file;
    at_ = at;
    ended_ = false;
    damaged_ = false;
}

std::size_t Inflater::inflate_some(char* data, std::size_t bytes) {
    stream_.next_out = reinterpret_cast<Bytef*>(data);
    std::size_t done = 0;
    while (done < bytes && !ended_ && !damaged_) {
        const std::string_view input = file_->from(at_);
        if (input.empty()) {
            damaged_ = true;
            break;
        }
        // zlib does not write to its input.
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
        stream_.avail_in = static_cast<uInt>(input.size());
        const std::size_t room = std::min<std::size_t>(bytes - done, 1U << 30U);
        stream_.avail_out = static_cast<uInt>(room);
        const int result = ::inflate(&stream_, Z_NO_FLUSH);
        at_ += input.size() - stream_.avail_in;
        done += room - stream_.avail_out;
        ended_ = result == Z_STREAM_END;
        damaged_ = result != Z_OK && result != Z_STREAM_END;
    }
    return done;
}

bool Inflater::fill(std::string& buffer) {
    return inflate_some(buffer.data(), buffer.size()) == buffer.size() && !damaged_;
}

std::optional<std::uint64_t> Inflater::end() {
    // The end is only noticed by reading past it.
    char more = 0;
    if (!ended_ && (inflate_some(&more, 1) != 0 || !ended_)) return std::nullopt;
    return at_;
}

}  // namespace left4me::builder
