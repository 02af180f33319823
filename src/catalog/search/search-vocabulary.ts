/**
 * What people say and, after the sign, what makers of tools call it; a line without one goes in all directions. Words
 * in common use belong here, not the names of one company’s own things.
 */
export const vocabulary = `
  folder directory
  delete remove drop
  create add insert new
  list show
  get read fetch retrieve view
  show > get read view
  detail info information metadata describe
  search find query
  update edit change modify
  send post
  copy fork duplicate clone
  picture image photo screenshot
  site website page webpage web
  repo repository
  issue ticket
  email mail
  comment note remark
  reply answer respond
  user member person
  document file
  location place
  coordinate latitude longitude
  height elevation altitude
  licence license
  organization organisation
  sum total
  erase discard forget throw wipe clear destroy rid purge trash kill > delete remove drop
  make start set build > create add
  open > create read new
  report submit raise file > create
  write > create post update append
  enumerate display all every which > list
  look check see tell say give open what > get read
  where lookup locate recall > search find
  who whose > user author member
  when date > time
  remind remember learn know > memory knowledge entity observation
  forget > memory entity observation
  put leave attach store > add create write
  attach > upload
  place > put
  replace alter rewrite fix correct adjust raise increase lower reduce > update edit
  close resolve finish reopen > update state
  shut quit > close
  complete done mark > update
  append paragraph > child add
  rename > move
  name > rename
  tell inform notify announce say speak > send post message comment
  duplicate somebody > fork
  internet online google news headline article > web search
  shop store restaurant cafe coffee bar hotel business nearby near > place local
  opening phone > detail place
  project > repository
  pr mr > pull merge request
  bug problem defect todo > issue
  colleague employee people customer account staff > user member
  job title > profile
  chat room > channel
  thread conversation discussion > thread reply comment
  emoji heart thumb smile like > reaction
  approve reject lgtm > review
  reviewer > review
  ci pass fail test pipeline > check status
  again retry rerun > rerequest
  last latest recent history past > commit history time
  big large small heavy space > size storage
  link relation tie married > relation
  route drive walk travel way > direction distance
  far long metre meter kilometre mile > distance elevation time duration
  address street > geocode location
  high tall sea > elevation
  slow fast faster speed lag > performance trace index explain
  plan > explain
  leak heap > memory heap snapshot
  reader blind disability > accessibility
  engine ranking > seo
  call traffic > request network
  print error warning exception > console message log
  javascript > script console
  smartphone mobile tablet pretend imitate > emulate simulate device
  phone > emulate device
  back previous return forward > back navigate history
  go visit surf browse > navigate
  click tap push > click press
  scroll > wheel
  alert popup confirm prompt accept dismiss > dialog
  dropdown choose pick > select option
  enter sign form > fill
  window > resize page
  video film record > screencast record trace
  snippet paste > gist
  share publish everybody everyone public > create public
  spend spent cost pay money price invoice charge > billing usage budget
  cap > limit budget
  limit remaining left still quota > limit rate
  table row record > collection document query
  sql > database query
  group summarize > aggregate
  field column > schema property
  dark light theme colour > media emulate color
  branch pointer > ref reference branch
  json yaml csv code source > file
  faster speed > index
  run > execute trigger start
  stop cancel abort end > stop
  allow may permit touch > allowed access
  much number amount > count size
  many > count several multiple
  several multiple once > multiple
  save download keep > save export write
  zip compress archive > gzip
  layout structure hierarchy > tree
  whole sub nested > tree recursive
  invalid leak token password > revoke credential
  html > render
  dump everything > export read
  repeat > echo
  plus minus > sum
  environment variable > env
  think reason step > think thought
  company firm business team > organization
  ip > address meta
`
