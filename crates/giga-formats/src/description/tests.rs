#[test]
fn t() {
    let r = super::read(
        "x.toml",
        "format = 1\nname=\"x\"\n[[site]]\nname=\"a\"\ncountry=\"FI\"\n[[site.phase]]\npower = \"1 MW\"\n[[site.phase.pool]]\nname=\"p\"\naccelerator=\"GB300-NVL72\"\naccelerators=360\n",
    );
    match r {
        Ok(d) => println!("{}", super::expand(&d)),
        Err(e) => println!("{e}"),
    }
    panic!()
}
