// Writes the pages that are generated from the field tables into the directory given.

#include <fstream>
#include <iostream>
#include <string>

#include "adapters/config/table.hpp"
#include "cases.hpp"
#include "specs/reference.hpp"
#include "specs/schema.hpp"

namespace {

bool write(const std::string& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary);
    file << text;
    return static_cast<bool>(file.flush());
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: specs_docs DIRECTORY\n";
        return 2;
    }
    const std::string directory = argv[1];
    const std::string manual = directory + "/man/left4me-config.5";
    const auto page = left4me::test::read_text(manual);
    if (!page) return 1;
    return write(directory + "/reference.md", left4me::reference_markdown()) &&
                   write(directory + "/left4me.schema.json", left4me::json_schema()) &&
                   write(manual, left4me::with_settings(*page, left4me::config_table()))
               ? 0
               : 1;
}
