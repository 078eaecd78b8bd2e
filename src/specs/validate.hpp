#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "specs/fields.hpp"
#include "specs/reporter.hpp"
#include "specs/yaml.hpp"

namespace left4me {

/// A field that names another object.
struct Reference {
    Kind kind = Kind::Server;
    std::string name;
    std::string path;  ///< of the field, "spec.blueprint"
    Location where;
    /// Field::listed_in: the other list tells whether there is such an object.
    bool listed_elsewhere = false;
};

/// What the checks between documents need to know about one. Also collected from invalid documents as far as
/// they can be read, so that one mistake is not reported again by everything that refers to it.
struct ObjectSummary {
    const KindEntry* kind = nullptr;  ///< nullptr: missing or unknown
    std::string name;                 ///< empty: missing or not valid
    Location name_at;
    std::optional<std::uint16_t> port;
    Location port_at;
    std::vector<Reference> references;
    std::optional<Location> warns_at;  ///< spec.rollout.warn; nullopt: nobody is to be warned
};

/// Checks one document against the field table and reports every error in it.
ObjectSummary validate(const yaml::Node& root, Reporter& reporter);

/// Checks a document that is one map of the table, as a configuration is, against that map.
void check_fields(const yaml::Node& root, const Field& table, Reporter& reporter);

/// Reports every secret in spec.config that is `reserved`. `root` may be invalid.
void check_reserved_secrets(const yaml::Node& root, const std::vector<std::string>& reserved,
                            Reporter& reporter);

/// What the field table cannot say: rules between the fields of one document.
void check_object(Kind kind, const yaml::Node& root, Reporter& reporter);

}  // namespace left4me
