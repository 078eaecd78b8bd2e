// System calls as attack programs make them: also those that a program of this machine would not make.
#pragma once

#include <sys/mman.h>

#include <array>
#include <cstdint>
#include <cstdlib>

using Words = std::array<long, 6>;

/// As in a 32-bit program; the kernel accepts i386 numbers from any process.
inline long narrow(long number, const Words& words) {
    long result = 0;
    // NOLINTNEXTLINE(hicpp-no-assembler)
    asm volatile("int $0x80"
                 : "=a"(result)
                 : "a"(number), "b"(words[0]), "c"(words[1]), "d"(words[2]), "S"(words[3]), "D"(words[4])
                 : "memory", "r8", "r9", "r10", "r11");
    return static_cast<std::int32_t>(result);
}

/// Memory that a 32-bit pointer can name.
template <typename T>
T* low() {
    void* made =
        ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (made == MAP_FAILED) std::abort();
    return static_cast<T*>(made);
}

inline long number_of(const void* pointer) {
    return static_cast<long>(reinterpret_cast<std::uintptr_t>(pointer));
}
