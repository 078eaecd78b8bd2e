#pragma once

#include <map>
#include <string>
#include <vector>

#include "builder/git/hash.hpp"
#include "builder/result.hpp"
#include "specs/manifest.hpp"

namespace left4me::builder {

/// References of a repository, by their whole names.
using References = std::map<std::string, ObjectId>;

/// The pinned commit, or else the ref.
inline const std::string& wanted_ref(const GitSource& source) {
    return source.pin ? source.pin->commit : source.ref;
}

/// What GitSource::ref may stand for: HEAD if it is empty; a name that begins with refs/ as it is; else a
/// branch or a tag.
std::vector<std::string> candidates(const std::string& ref);

/// The object that the ref stands for; an error names the remedy. `known`: those of its candidates that there
/// are.
Built<ObjectId> choose(const References& known, const std::string& ref);

}  // namespace left4me::builder
