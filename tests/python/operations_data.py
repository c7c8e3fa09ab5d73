"""What the operations are compared on: classes below DMTF's, and instances of both, as MOF of our own."""

DOMAIN, EXTENT, DISK, DRIVE = "CIM_AdminDomain", "CIM_StorageExtent", "TST_Disk", "CIM_DiskDrive"

TYPES = ["boolean", "string", "char16", "uint8", "sint8", "uint16", "sint16", "uint32", "sint32",
         "uint64", "sint64", "real32", "real64", "datetime"]

CLASSES = """
class TST_Settings {
   string Mode;
   uint32 Depth = 4;
};
class TST_Disk : CIM_LogicalDisk {
   %(scalars)s
   %(arrays)s
      [Write, EmbeddedInstance("TST_Settings")]
   string Settings;
      [Write, EmbeddedInstance("TST_Settings")]
   string History[];
      [Static, Description("Tells how many disks there are.")]
   uint32 Count([In] string Pattern, [In(false), Out] uint32 Found);
   uint32 Check([In, Required] boolean Deep);
};
   [Association]
class TST_BasedOn : CIM_BasedOn {
      [Write]
   uint64 Weight;
};
""" % {
    "scalars": "\n   ".join(f"[Write] {kind} T{kind};" for kind in TYPES),
    "arrays": "\n   ".join(f"[Write] {kind} A{kind}[];" for kind in TYPES),
}


def device(classname, name, *more):
    keys = f'SystemCreationClassName = "{DOMAIN}"; SystemName = "site"; CreationClassName = "{classname}";'
    lines = "\n   ".join([keys, f'DeviceID = "{name}";', *more])
    return f"instance of {classname} as ${name} {{\n   {lines}\n}};\n"


def link(classname, near, far, *more):
    (role, one), (other_role, other) = near, far
    lines = "\n   ".join([f"{role} = ${one};", f"{other_role} = ${other};", *more])
    return f"instance of {classname} {{\n   {lines}\n}};\n"


def part(name):
    return link("CIM_SystemDevice", ("GroupComponent", "site"), ("PartComponent", name))


def based(classname, below, above, *more):
    return link(classname, ("Antecedent", below), ("Dependent", above), *more)


INSTANCES = "".join([
    f'instance of {DOMAIN} as $site {{ CreationClassName = "{DOMAIN}"; Name = "site"; Roles = {{"a", "b"}}; }};\n',
    device(EXTENT, "e1", "BlockSize = 512;", "NumberOfBlocks = 1000;", 'ElementName = "first";'),
    device(EXTENT, "e2", "BlockSize = 4096;", "NumberOfBlocks = 2000;", 'ElementName = "second";'),
    device(DISK, "d1", 'ElementName = "low";', "Tuint8 = 0;", "Tsint64 = -9223372036854775808;",
           "Tboolean = true;", 'Tstring = "a<b>&\\"c\\" \u00e4\u20ac";', "Aboolean = {true, false};",
           'Tdatetime = "20260102030405.123456+060";', "Treal64 = 1.5E300;", "Areal32 = {0.5, -2.0};"),
    device(DISK, "d2", 'ElementName = "high";', "Tuint8 = 255;", "Tuint64 = 18446744073709551615;",
           "Tboolean = false;", 'Astring = {"x", "", "z"};', "Asint8 = {-128, 127};", "Auint16 = {};",
           'Adatetime = {"00000001020304.123456:000"};'),
    device(DISK, "d3", 'ElementName = "low";'),
    device(DRIVE, "v1", "Capabilities = {2, 3, 4};"),
    "".join(part(name) for name in ("e1", "e2", "d1", "d2", "v1")),
    based("CIM_BasedOn", "e1", "d1", "StartingAddress = 5;"),
    based("TST_BasedOn", "e1", "d2", "Weight = 7;", "OrderIndex = 1;"),
    based("TST_BasedOn", "e2", "d2", "Weight = 8;", "OrderIndex = 2;"),
    based("CIM_BasedOn", "d1", "d2"),
    link("CIM_MediaPresent", ("Antecedent", "v1"), ("Dependent", "e1"), "FixedMedia = true;"),
])
