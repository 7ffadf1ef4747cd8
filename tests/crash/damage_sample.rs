//! What the damage machine damages: packs and a journal in memory, and the truth about them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use provenance::clock::Timestamp;
use provenance::format::pack::{ObjectKind, PackIndex, TRAILER_BYTES, Trailer};
use provenance::object::tree::{Entry, NewNode, Node, Target};
use provenance::object::{Actor, Name, ObjectId, Sha256, Update};
use provenance::storage::{Key, MemoryStorage, Storage};
use provenance::store::{Appended, Cache, Draft, Root, Store, StoreError};

/// What is stored, and the truth about it.
pub struct Sample {
    pub files: Vec<(Key, Vec<u8>)>,
    /// Every object with its content, and the packs that hold it.
    pub objects: BTreeMap<ObjectId, (ObjectKind, Vec<u8>, BTreeSet<Key>)>,
    /// The bytes of every journal entry.
    pub entries: Vec<Vec<u8>>,
    pub roots: Vec<Root>,
}

pub fn sample() -> &'static Sample {
    static SAMPLE: OnceLock<Sample> = OnceLock::new();
    SAMPLE.get_or_init(|| Sample::new(3))
}

/// A storage that is large enough for a bundle and its hash tile.
pub fn bundled() -> &'static Sample {
    static SAMPLE: OnceLock<Sample> = OnceLock::new();
    SAMPLE.get_or_init(|| Sample::new(520))
}

impl Sample {
    /// Appends so many entries; the first ones each name a tree with one more file.
    fn new(entry_count: u64) -> Self {
        let storage = MemoryStorage::new();
        let store = Store::open(Arc::new(storage.clone()), 1);
        let journal = store.journal(Cache::none());
        let (mut contents, mut entries, mut roots) = (Vec::new(), Vec::new(), Vec::new());
        let mut tree = ObjectId::of(&Node::Leaf(Vec::new()).encode());
        for number in 0..entry_count {
            if number < 3 {
                let content = |part: usize| format!("{number} {part}\n").repeat(7 + part);
                contents.extend((0..4).map(|part| content(part).into_bytes()));
                tree = record(&store, &contents);
                roots.push(Root::Tree(tree));
            }
            let head = journal.head().expect("read");
            let draft = Draft {
                time: Timestamp(1_700_000_000_000),
                actor: actor(),
                command: format!("commit -m {number}"),
                updates: vec![Update {
                    name: format!("tags/t{number}"),
                    old: None,
                    new: Some(ObjectId::of(&number.to_le_bytes())),
                }],
                unlisted: 0,
                refs: tree,
                attestations: ObjectId::of(&Node::Leaf(Vec::new()).encode()),
            };
            match journal.append(&head, draft).expect("appended") {
                Appended::Won(entry) => entries.push(entry.bytes),
                Appended::Lost => unreachable!("nobody else writes"),
            }
        }
        let files = files(&storage);
        let objects = objects(&store, &files);
        Self { files, objects, entries, roots }
    }

    /// Fills a storage with what is stored, one file of it being another.
    pub fn storage(&self, damaged: &Key, bytes: Option<&[u8]>) -> MemoryStorage {
        let storage = MemoryStorage::new();
        for (key, good) in &self.files {
            let bytes = if key == damaged { bytes } else { Some(good.as_slice()) };
            if let Some(bytes) = bytes {
                storage.create(key, bytes).expect("created");
            }
        }
        storage
    }
}

fn actor() -> Actor {
    let (name, email) = ("Ada".to_owned(), "ada@example.org".to_owned());
    Actor { name, email, host: None, user: None }
}

/// Stores the last file, and a tree of all; gives the tree.
fn record(store: &Store, contents: &[Vec<u8>]) -> ObjectId {
    let transaction = store.transaction().expect("begun");
    let mut entries = Vec::new();
    for (number, content) in contents.iter().enumerate() {
        let id = transaction.put(ObjectKind::Blob, content).expect("stored");
        let (size, sha256) = (content.len() as u64, Sha256::of(content));
        let target = Target::File { id, size, sha256, executable: false };
        let name = Name::new(format!("file-{number:02}").as_bytes()).expect("a name");
        entries.push(Entry { name, target });
    }
    let node = Node::Leaf(entries).encode();
    let id = ObjectId::of(&node);
    transaction.put_node(NewNode { id, bytes: &node, before: None }).expect("stored");
    transaction.finish().expect("finished");
    id
}

fn files(storage: &MemoryStorage) -> Vec<(Key, Vec<u8>)> {
    let keys = storage.list("").expect("listed");
    let load = |key: Key| {
        let bytes = storage.load(&key, 1 << 20).expect("read").expect("there");
        (key, bytes)
    };
    keys.into_iter().map(load).collect()
}

/// Reads every object, and in which packs it lies.
fn objects(
    store: &Store,
    files: &[(Key, Vec<u8>)],
) -> BTreeMap<ObjectId, (ObjectKind, Vec<u8>, BTreeSet<Key>)> {
    let mut objects: BTreeMap<ObjectId, (ObjectKind, Vec<u8>, BTreeSet<Key>)> = BTreeMap::new();
    for (key, bytes) in files.iter().filter(|(key, _)| key.as_str().starts_with("pack/")) {
        let trailer = Trailer::decode(&bytes[bytes.len() - TRAILER_BYTES..]).expect("a trailer");
        let tail = &bytes[usize::try_from(trailer.footer_offset).expect("small")..];
        let index = PackIndex::parse(&bytes[..16], tail, bytes.len() as u64).expect("a pack");
        for row in index.objects().map(|row| row.expect("sound")) {
            let content = read(store, row.kind, &row.id).expect("readable");
            let entry = objects.entry(row.id);
            let (.., packs) = entry.or_insert_with(|| (row.kind, content, BTreeSet::new()));
            packs.insert(key.clone());
        }
    }
    objects
}

pub fn read(store: &Store, kind: ObjectKind, id: &ObjectId) -> Result<Vec<u8>, StoreError> {
    let mut reader = store.reader();
    if kind == ObjectKind::Tree {
        return reader.record(id);
    }
    let mut content = Vec::new();
    reader.stream(id, |piece| {
        content.extend_from_slice(piece);
        Ok::<_, StoreError>(())
    })?;
    Ok(content)
}
