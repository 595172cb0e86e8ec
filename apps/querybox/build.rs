//! Has the program built again when the web interface was.

fn main() {
    // The files are read by a macro, which nothing else tells of new ones.
    println!("cargo::rerun-if-changed=../../web/dist");
}
