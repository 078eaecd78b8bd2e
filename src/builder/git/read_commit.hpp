#pragma once

#include <string>

#include "builder/git/hash.hpp"
#include "builder/git/objects.hpp"

namespace left4me::builder {

/// Reads the tree of a commit, or of the commit that a tag names, and sends its entries as Messages to
/// `pipe`: the commit as Revision, End or Failed as the last one. `directory`: only what is in it, without
/// its path; empty: all. For a process that can do nothing else, Confinement::ParseOnly: this and Objects are
/// the only code that parses objects of git.
void read_commit(Objects& objects, const ObjectId& commit, const std::string& directory, int pipe);

/// What to say about an object that cannot be read.
std::string to_text(NoObject why);

}  // namespace left4me::builder
