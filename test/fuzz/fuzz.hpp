#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "adapters/fd.hpp"

/// libFuzzer calls it with each input: https://llvm.org/docs/LibFuzzer.html
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace left4me::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

/// A file in memory for those who read one, and where what they send goes.
class Files {
  public:
    explicit Files(std::string_view content)
        : file_(::memfd_create("fuzz", MFD_CLOEXEC)), pipe_(::open("/dev/null", O_WRONLY | O_CLOEXEC)) {
        const auto wrote = ::write(file_.get(), content.data(), content.size());
        if (!pipe_ || wrote != static_cast<ssize_t>(content.size()) || ::lseek(file_.get(), 0, SEEK_SET) != 0)
            std::abort();
    }
    int file() const { return file_.get(); }
    int pipe() const { return pipe_.get(); }

  private:
    Fd file_;
    Fd pipe_;
};

}  // namespace left4me::fuzz
