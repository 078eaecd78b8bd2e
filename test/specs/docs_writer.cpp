// Writes the pages that are generated from the field table into the directory given.

#include <fstream>
#include <iostream>
#include <string>

#include "specs/reference.hpp"
#include "specs/schema.hpp"

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: specs_docs DIRECTORY\n";
        return 2;
    }
    const std::string directory = argv[1];
    std::ofstream reference(directory + "/reference.md", std::ios::binary);
    std::ofstream schema(directory + "/left4me.schema.json", std::ios::binary);
    reference << left4me::reference_markdown();
    schema << left4me::json_schema();
    return reference.flush() && schema.flush() ? 0 : 1;
}
