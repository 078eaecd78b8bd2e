#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "adapters/fd.hpp"
#include "builder/git/hash.hpp"
#include "builder/git/objects.hpp"

namespace left4me::builder {

/// A file that is open for reading.
struct OpenFile {
    Fd file;
    std::uint64_t bytes = 0;
};

/// A commit, and the files that its objects are in.
struct SourceObjects {
    struct PackFiles {
        OpenFile pack;
        OpenFile index;  ///< no file: the pack has none
    };
    ObjectId commit;  ///< or a tag of one
    std::vector<PackFiles> packs;
    OpenFile loose;
    std::map<ObjectId, LooseObject> loose_objects;

    std::uint64_t bytes() const {
        std::uint64_t sum = loose.bytes;
        for (const PackFiles& files : packs) sum += files.pack.bytes;
        return sum;
    }
};

}  // namespace left4me::builder
